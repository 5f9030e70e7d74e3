"""What `GET models` answers. No key is in any of it."""

from __future__ import annotations

from typing import Literal

from .objects import ModelInfo
from .terms import WireModel

#: Where a provider's key comes from: the administrator's settings, the environment, the person.
KeySource = Literal["settings", "environment", "given"]


class ProviderInfo(WireModel):
    """A provider: whether its package is there, and where its key comes from.

    `may_give` tells whether this person may give a key. `base_url` is the address that they gave.
    `keys_url` is the provider's page on which keys are made, and `account_url` that on which one
    pays; both are absent where the administrator's settings name another address.
    """

    name: str
    label: str
    installed: bool
    package: str
    takes_key: bool
    key: KeySource | None = None
    may_give: bool
    base_url: str | None = None
    keys_url: str | None = None
    account_url: str | None = None


class ModelList(WireModel):
    """The models that can be chosen, and what is needed for the others.

    `default_model` is that of a prompt that names none; `chosen`, if this person has chosen it,
    and `recent` what they chose before, newest first. `any_model`: any `provider:model` may be
    asked for, and not only those of the list; `locked`: only the default one may. `model_files`:
    `local:/path.gguf` may be asked for. `asking`: a server that lists its own has not answered
    yet; ask again with `wait`.
    """

    models: tuple[ModelInfo, ...]
    providers: tuple[ProviderInfo, ...]
    default_model: str | None = None
    chosen: str | None = None
    recent: tuple[str, ...] = ()
    locked: bool
    any_model: bool
    model_files: bool
    asking: bool = False
