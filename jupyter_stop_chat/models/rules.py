"""What the administrator allows: which models, and what a person may add."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from .providers import BUILT_IN, COMPATIBLE, LOCAL


@dataclass(frozen=True, slots=True)
class Rules:
    """The administrator's word on models.

    What is set up as the default may always be used.

    :ivar default: the model of a prompt that names none; empty when it is to be found.
    :ivar allowed: patterns of model ids (`openai:*`); empty when any may be used.
    :ivar locked: only the default model may be used.
    :ivar keys: people may give keys of their own.
    :ivar files: people may name a GGUF file on the server; None where it has only one owner.
    :ivar addresses: people may name an address of a server; None where it has only one owner.
    :ivar installs: people may install the built-in model's weights.
    :ivar one_owner: who owns all of a server whose people have no names.
    """

    default: str = ""
    allowed: tuple[str, ...] = ()
    locked: bool = False
    keys: bool = True
    files: bool | None = None
    addresses: bool | None = None
    installs: bool = True
    one_owner: str = "server"

    def may_name_files(self, owner: str) -> bool:
        """Tell whether an owner may have the server read a model's file by its path."""
        return owner == self.one_owner if self.files is None else self.files

    def may_name_addresses(self, owner: str) -> bool:
        """Tell whether an owner may have the server connect to an address of theirs."""
        if not self.keys:
            return False
        return owner == self.one_owner if self.addresses is None else self.addresses

    def allows(self, model_id: str, owner: str) -> bool:
        """Tell whether an owner may use a model."""
        if self.default and model_id == self.default:
            return True
        if self.allowed and not any(fnmatchcase(model_id, each) for each in self.allowed):
            return False
        if model_id.startswith(f"{LOCAL}:") and model_id != BUILT_IN:
            return self.may_name_files(owner)
        return True

    def may_give(self, provider: str, owner: str) -> bool:
        """Tell whether an owner may give a key (or an address) for a provider."""
        return self.may_name_addresses(owner) if provider == COMPATIBLE else self.keys
