"""Know what can be chosen: which packages, keys and models are there. Imports none of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.model_objects import KeySource, ModelList, ProviderInfo
from jupyter_stop_chat.wire.objects import ModelInfo

from .chatting import NO_CHAT, only_one
from .choices import Choices
from .kept import Takes
from .keys import Given, Keys
from .listing import Listing, Told
from .naming import Naming
from .places import Place, address_of, place_of, trial_of
from .profiles import Profiles
from .providers import BUILT_IN, COMPATIBLE, LOCAL, OLLAMA, PROVIDERS
from .rules import Rules

#: Where a package offers its own providers: name = provider, value = a factory.
ENTRY_POINTS = "jupyter_stop_chat.chat_handlers"


class Catalogue:
    """The models that there are, and what the others need.

    :param data_dir: Jupyter's data directory.
    :param parameters: the administrator's, by provider or by model id.
    :param rules: returns what is allowed now.
    :param keys: what people gave.
    :param choices: what people chose.
    :param takes: tells what a model takes, by its id and who would use it; None: it is not built.
    """

    def __init__(
        self,
        data_dir: Path,
        parameters: Mapping[str, Mapping[str, Any]],
        rules: Callable[[], Rules],
        keys: Keys,
        choices: Choices,
        takes: Callable[[str, str], Takes | None] = lambda model_id, owner: None,
        listing: Listing | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._parameters = parameters
        self._get_rules = rules
        self._keys = keys
        self._choices = choices
        self._takes = takes
        self._listing = listing or Listing()
        self._profiles = Profiles()
        self.naming = Naming(self, self._listing, choices, rules)
        self.registered: dict[str, Callable[[str], Any]] = {}
        #: By owner, the model of each server that has listed no other when it was last asked.
        self._only: dict[str, tuple[str, ...]] = {}
        self._local_lack: ErrorCode | None = ErrorCode.LOCAL_MODEL_MISSING

    @property
    def _rules(self) -> Rules:
        return self._get_rules()

    @cached_property
    def plugins(self) -> dict[str, EntryPoint]:
        """Find what installed packages offer."""
        return {point.name: point for point in entry_points(group=ENTRY_POINTS)}

    async def find_plugins(self) -> None:
        """Find what installed packages offer, once, without holding up the loop."""
        if "plugins" not in self.__dict__:
            await asyncio.to_thread(lambda: self.plugins)

    def is_ours(self, provider: str) -> bool:
        """Tell whether a provider is a package's or the server's own, and not LangChain's."""
        return provider in self.registered or provider in self.plugins

    async def close(self) -> None:
        """Ask no server any more."""
        await self._listing.close()

    # --- keys --------------------------------------------------------------------------------

    def given(self, provider: str, owner: str) -> Given:
        """Return what an owner gave for a provider, as far as that is allowed."""
        if not self._rules.may_give(provider, owner):
            return Given()
        return self._keys.given(owner, provider)

    def key_of(self, provider: str, owner: str) -> KeySource | None:
        """Tell where the key for a provider comes from; the environment goes before a person's."""
        parameters = self._parameters.get(provider, {})
        if any(value and name.endswith("api_key") for name, value in parameters.items()):
            return "settings"
        if provider == COMPATIBLE:
            if parameters.get("base_url"):
                return "settings"
            return "given" if self.given(provider, owner).base_url else None
        known = PROVIDERS.get(provider)
        if known is not None and any(os.environ.get(key) for key in known.keys):
            return "environment"
        if self.given(provider, owner).key is not None:
            return "given"
        return "settings" if parameters.get("base_url") else None

    def is_locked(self, provider: str, owner: str) -> bool:
        """Tell whether the key that counts is in a keychain that does not give it now."""
        given = self.given(provider, owner)
        return given.locked and self.key_of(provider, owner) in {"given", None}

    def lacks(self, provider: str, owner: str) -> ErrorCode | None:
        """Tell what a known provider lacks."""
        known = PROVIDERS[provider]
        if find_spec(known.package) is None:
            return ErrorCode.MISSING_PACKAGE
        if not known.takes_key or self.key_of(provider, owner) is not None:
            return None
        return (
            ErrorCode.KEYCHAIN_LOCKED if self.is_locked(provider, owner) else ErrorCode.MISSING_KEY
        )

    # --- models ------------------------------------------------------------------------------

    def look(self) -> None:
        """See what other processes and people may have changed. Blocks."""
        self._choices.look()
        if self.is_ours(LOCAL):
            self._local_lack = None
            return
        from jupyter_stop_chat.chat_handlers.local import unavailable

        self._local_lack = unavailable(self._data_dir)

    def default_model(self, owner: str) -> str | None:
        """Return the model of a prompt that names none, or None when none is allowed.

        What somebody has chosen stays until they choose another one; and where nobody has, the
        local model that is ready is not left for one that costs, because a key is there now.
        """
        rules = self._rules
        chosen = None if rules.locked else self._choices.of(owner).model
        if chosen is not None and rules.allows(chosen, owner):
            return chosen
        if rules.default:
            return rules.default
        if rules.allows(BUILT_IN, owner) and self._local_lack is None:
            return BUILT_IN
        for name, provider in PROVIDERS.items():
            model_id = f"{name}:{provider.suggested}"
            if (
                provider.suggested
                # Where a keychain is locked, another provider is not what they chose.
                and self.lacks(name, owner) in {None, ErrorCode.KEYCHAIN_LOCKED}
                and rules.allows(model_id, owner)
            ):
                return model_id
        # A lock holds what is set up, and not what somebody's server lists at the moment.
        for only in () if rules.locked else self._only.get(owner, ()):
            if rules.allows(only, owner) and self.lack_of(only, owner) is None:
                return only
        if rules.allows(BUILT_IN, owner):
            return BUILT_IN
        plain = (each for each in rules.allowed if not set(each) & set("*?["))
        return next(plain, None)

    def available(self, owner: str) -> tuple[ModelInfo, ...]:
        """List the models that can be suggested, and what those lack that cannot be used.

        Looks for packages and files: call it in a thread.
        """
        self.look()
        suggested = [
            ModelInfo(
                id=f"{name}:{model}",
                label=f"{provider.label}: {model}",
                provider=name,
                available=(lack := self.lacks(name, owner)) is None,
                reason=lack,
            )
            for name, provider in PROVIDERS.items()
            if not self.is_ours(name)
            for model in provider.models
        ]
        return self._allowed(owner, [*self._own(), *suggested, *self._built_in()])

    async def listed(self, owner: str, patience: float | None = None) -> ModelList:
        """List what can be chosen now; asks the servers that list their models themselves.

        :param patience: so long they are waited for, in seconds.
        """
        await self.naming.go_on(owner, patience)
        available = await asyncio.to_thread(self.available, owner)
        found_there, asking = await self._asked(owner, patience)
        # In a thread: for each provider its package is looked for.
        return await asyncio.to_thread(self._listed, owner, available, found_there, asking)

    def _listed(
        self,
        owner: str,
        available: Sequence[ModelInfo],
        found_there: Mapping[str, Told],
        asking: bool,
    ) -> ModelList:
        may_be_used = partial(self._rules.allows, owner=owner)
        servers = ((name, found_there.get(name, {})) for name in (COMPATIBLE, OLLAMA))
        only = [only_one(name, there, may_be_used) for name, there in servers]
        self._only[owner] = tuple(filter(None, only))
        # A provider that tells which models it has knows better than we do.
        told = {
            f"{name}:{model}": size
            for name, there in found_there.items()
            for model, size in there.items()
        }
        models = {
            each.id: each.model_copy(update={"max_input_tokens": size})
            if (size := told.get(each.id))
            else each
            for each in available
            if not found_there.get(each.provider) or each.id in told or each.local
        }
        for name, there in found_there.items():
            for model, size in there.items():
                if NO_CHAT.search(model) and PROVIDERS[name].api is not None:
                    continue
                label = f"{PROVIDERS[name].label}: {model}"
                found = ModelInfo(
                    id=f"{name}:{model}",
                    label=label,
                    provider=name,
                    available=True,
                    max_input_tokens=size,
                )
                models.setdefault(found.id, found)
        built_in = models.pop(BUILT_IN, None)  # after the others, though some were found later
        ordered = [*models.values(), *([built_in] if built_in else [])]
        return ModelList(
            models=self._allowed(owner, ordered),
            providers=tuple(self._provider(name, owner) for name in PROVIDERS),
            default_model=self.default_model(owner),
            chosen=next(iter(self._still_chosen(owner, [self._choices.of(owner).model])), None),
            recent=self._still_chosen(owner, self._choices.of(owner).recent),
            locked=self._rules.locked,
            any_model=not self._rules.locked and not self._rules.allowed,
            model_files=self._rules.may_name_files(owner),
            asking=asking,
        )

    # -----------------------------------------------------------------------------------------

    def _still_chosen(self, owner: str, chosen: Iterable[str | None]) -> tuple[str, ...]:
        """Leave out what somebody may not use any more."""
        if self._rules.locked:
            return ()
        return tuple(each for each in chosen if each and self._rules.allows(each, owner))

    def _own(self) -> list[ModelInfo]:
        names = sorted({*self.registered, *self.plugins})
        return [
            ModelInfo(id=f"{name}:default", label=name, provider=name, available=True)
            for name in names
        ]

    def _built_in(self) -> list[ModelInfo]:
        if self.is_ours(LOCAL):
            return []
        return [
            ModelInfo(
                id=BUILT_IN,
                label="SmolLM2",
                provider=LOCAL,
                local=True,
                available=self._local_lack is None,
                reason=self._local_lack,
            )
        ]

    def lack_of(self, model_id: str, owner: str) -> ErrorCode | None:
        """Tell what a model lacks, by its provider."""
        provider = model_id.partition(":")[0]
        if model_id == BUILT_IN:
            return self._local_lack
        if provider in PROVIDERS and not self.is_ours(provider):
            return self.lacks(provider, owner)
        return None

    def _allowed(self, owner: str, models: list[ModelInfo]) -> tuple[ModelInfo, ...]:
        """Leave out what may not be used, and add what is allowed by name and known to nobody."""
        default = self.default_model(owner)
        if self._rules.locked:
            models = [each for each in models if each.id == default]
        kept = [each for each in models if self._rules.allows(each.id, owner)]
        known = {each.id for each in kept}
        named = [each for each in self._rules.allowed if not set(each) & set("*?[")]
        for model_id in dict.fromkeys([*([default] if default else []), *named]):
            if model_id not in known and (model_id == default or not self._rules.locked):
                kept.insert(0, self._unlisted(model_id, owner))
        return tuple(self._sized(each, owner) for each in kept)

    def _sized(self, model: ModelInfo, owner: str) -> ModelInfo:
        """Add how many tokens a model takes, the fewest that its provider or its package names.

        And whether it takes pictures, and calls tools, where its package says so.
        """
        takes = self._takes(model.id, owner) or self._takes_unbuilt(model.id)
        taken, sees, calls = takes
        named = (model.max_input_tokens, taken)
        size = min((each for each in named if each), default=None)
        known = {"max_input_tokens": size, "image_inputs": sees, "tool_calling": calls}
        return model.model_copy(update=known)

    def _takes_unbuilt(self, model_id: str) -> Takes:
        """Tell what a model takes that is not built yet, as its package says."""
        provider, _, name = model_id.partition(":")
        if self.is_ours(provider):
            return None, None, None
        set_up = self._parameters.get(provider, {}), self._parameters.get(model_id, {})
        return self._profiles.of(provider, name, {**set_up[0], **set_up[1]})

    def _unlisted(self, model_id: str, owner: str) -> ModelInfo:
        """Describe a model in no list: the administrator named it, or somebody chose it."""
        provider, _, name = model_id.partition(":")
        lack = self.lack_of(model_id, owner)
        known = PROVIDERS.get(provider)
        return ModelInfo(
            id=model_id,
            label=f"{known.label}: {name}" if known and not self.is_ours(provider) else model_id,
            provider=provider,
            local=provider == LOCAL and not self.is_ours(LOCAL),
            available=lack is None,
            reason=lack,
        )

    def _provider(self, name: str, owner: str) -> ProviderInfo:
        known = PROVIDERS[name]
        source = self.key_of(name, owner)
        elsewhere = address_of(name, self._parameters.get(name, {})) != known.api
        return ProviderInfo(
            name=name,
            label=known.label,
            installed=self.is_ours(name) or find_spec(known.package) is not None,
            package=known.package.replace("_", "-"),
            takes_key=known.takes_key,
            key=source,
            may_give=known.takes_key
            and source not in {"settings", "environment"}
            and self._rules.may_give(name, owner),
            base_url=self.given(name, owner).base_url,
            keys_url=None if elsewhere else known.keys_url,
            account_url=None if elsewhere else known.account_url,
        )

    def place_of(self, name: str, owner: str) -> Place | None:
        """Return where a provider lists its models, if it can be asked."""
        if self.is_ours(name) or self.lacks(name, owner) is not None:
            return None
        return place_of(name, self._parameters.get(name, {}), self.given(name, owner))

    def trial_of(self, name: str, owner: str, key: str) -> Place | None:
        """Return where a key that an owner is giving can be tried, if anywhere."""
        given = replace(self.given(name, owner), key=SecretStr(key))
        return trial_of(name, self._parameters.get(name, {}), given)

    async def _asked(self, owner: str, patience: float | None) -> tuple[dict[str, Told], bool]:
        """Ask the servers that list their models, all at once; tell whether one still is asked."""
        places = await asyncio.to_thread(
            lambda: {name: self.place_of(name, owner) for name in PROVIDERS}
        )
        asked = {name: place for name, place in places.items() if place is not None}
        answers = [self._listing.models(place, patience) for place in asked.values()]
        found = dict(zip(asked, await asyncio.gather(*answers), strict=True))
        return found, any(map(self._listing.is_asking, asked.values()))
