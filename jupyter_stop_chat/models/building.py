"""Find the chat handler of a model id, and build it at its first use.

Nothing heavy is imported here: packages are imported and models built in a thread of our own, at
the first use, and kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_stop_chat.closing import close_part
from jupyter_stop_chat.local_model import CONTEXT
from jupyter_stop_chat.ports.handler import ChatHandler
from jupyter_stop_chat.settings.masking import reveal, secrets_in
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.model_objects import ModelList
from jupyter_stop_chat.wire.objects import ModelInfo
from jupyter_stop_chat.wire.pasted import meant_key

from .catalogue import Catalogue
from .choices import Choices
from .kept import Kept, Slot, Takes
from .key_file import KeyFile
from .key_parameters import clean_key, gives_key
from .keys import Keys
from .prices import ListPrices
from .providers import COMPATIBLE, LANGCHAIN_NAMES, LOCAL, PROVIDERS
from .retiring import CLOSE_S, Retiring
from .rules import Rules
from .trying import Trial, try_key

#: Called with the name after the colon; returns a chat handler, or a LangChain runnable.
Factory = Callable[[str], Any]


class Models:
    """What turns model ids into chat handlers.

    :param data_dir: Jupyter's data directory, below which the local model's weights are.
    :param parameters: what models are built with, by provider or by model id (which wins):
        `{"openai": {"base_url": …}, "openai:gpt-5": {"temperature": 0}}`.
    :param max_stuck: how many threads of sync models may run on after their stop.
    :param rules: returns what the administrator allows now.
    :param key_file: where given keys are kept; by default below the data directory.
    :param local: arguments of the local model's handler.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        max_stuck: int = 64,
        rules: Callable[[], Rules] = Rules,
        key_file: KeyFile | None = None,
        local: Mapping[str, Any] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._max_stuck = max_stuck
        #: Keys in it are masked; they are revealed to LangChain alone.
        self._parameters = parameters or {}
        self._local = local or {}
        self._rules = rules
        file = key_file or KeyFile(data_dir / "stop-chat" / "keys.json")
        self.keys = Keys(file, lambda owner, provider: self.forget(provider, owner))
        self._choices = Choices(data_dir / "stop-chat" / "models.json")
        self._catalogue = Catalogue(
            data_dir, self._parameters, rules, self.keys, self._choices, self._takes
        )
        self.is_ours = self._catalogue.is_ours
        self.prices = ListPrices(self._parameters, self.is_ours)
        self._retiring = Retiring()
        self._handlers = Kept(self._retiring.release)
        self._building: dict[Slot, asyncio.Task[ChatHandler]] = {}
        #: By owner and provider, what stands for the key given last.
        self._newest: dict[tuple[str, str], object] = {}
        self._closed = False
        self._executor = ThreadPoolExecutor(1, "stop-chat-import")

    def register(self, provider: str, factory: Factory) -> None:
        """Offer models under a provider's name of your own, before all others of that name.

        :param provider: what stands before the colon of the model id.
        :param factory: called in a thread with the name after the colon; returns a chat handler,
            or a runnable of LangChain or LangGraph.
        """
        self._catalogue.registered[provider] = factory
        self.forget(provider)

    def forget(self, provider: str, owner: str | None = None) -> None:
        """Build a provider's models anew at their next use, as when its key has changed.

        A reply that is being made keeps the model that it began with; connections that nobody
        uses are closed.

        :param owner: whose models; None: everybody's.
        """

        def is_meant(slot: Slot) -> bool:
            return slot[1].split(":")[0] == provider and owner in {None, slot[0]}

        for handler in self._handlers.take(is_meant):
            self._retiring.retire(handler)
        # What is being built with the old settings is for those who wait for it, and not kept.
        for slot in [each for each in self._building if is_meant(each)]:
            del self._building[slot]

    def check(self, model_id: str, owner: str = "server") -> None:
        """Refuse a model that an owner may not use.

        :raises StopChatError: `model_not_allowed`.
        """
        rules = self._rules()
        locked = rules.locked and model_id != self.default_model(owner)
        if locked or not rules.allows(model_id, owner):
            raise StopChatError(ErrorCode.MODEL_NOT_ALLOWED, model_id)

    def choose(self, wanted: str | None, owner: str) -> str | None:
        """Choose the model of a reply: the wanted one, if it may be used, else the default.

        :raises StopChatError: `model_not_allowed`.
        """
        if wanted is not None:
            self.check(wanted, owner)
        return wanted or self.default_model(owner)

    async def resolve(self, model_id: str, owner: str = "server") -> tuple[ChatHandler, str]:
        """Find the chat handler for a model id, and build it at the first use.

        :param model_id: `provider:model`.
        :param owner: whose reply it is to make; a key that they gave is used for them alone.
        :returns: the handler, and the name after the colon.
        :raises StopChatError: `unknown_model`, `model_not_allowed`, `missing_package`,
            `missing_key`, `unstoppable_model`, or what else building it came to.
        """
        provider, colon, name = model_id.partition(":")
        if not colon or not provider or not name:
            raise StopChatError(ErrorCode.UNKNOWN_MODEL, "no `provider:model`")
        await self._catalogue.find_plugins()
        await self.keys.refresh((owner, provider))
        if self._closed:
            raise StopChatError(ErrorCode.SHUTTING_DOWN)
        self.check(model_id, owner)
        if self._catalogue.is_locked(provider, owner):
            raise StopChatError(ErrorCode.KEYCHAIN_LOCKED, provider)
        slot = self._slot(provider, model_id, owner)
        self._handlers.use(slot)
        handler = self._handlers.get(slot)
        if handler is None:
            handler = await self._build(slot, provider, name)
        return handler, name

    def default_model(self, owner: str = "server") -> str | None:
        """Return the model of a prompt that names none.

        :returns: what the owner has chosen, else the administrator's, else the local model where
            it is installed, else the first provider's whose package is there and whose key is, if
            only in a locked keychain, or the one that a server lists; else the local model, whose
            error says how to install it. None: none is allowed.
        """
        return self._catalogue.default_model(owner)

    def available(self, owner: str = "server") -> tuple[ModelInfo, ...]:
        """List the models that can be suggested; imports nothing, and asks no server.

        Looks for packages and files: call it in a thread.
        """
        return self._catalogue.available(owner)

    async def listed(self, owner: str = "server", patience: float | None = None) -> ModelList:
        """List what can be chosen now, and what is missing; asks the servers that list theirs.

        :param patience: so long these are waited for, in seconds.
        """
        await self.refresh()
        return await self._catalogue.listed(owner, patience)

    async def refresh(self) -> None:
        """See what other servers, kernels and people may have changed."""
        await self.keys.refresh()
        await self.look()

    async def look(self) -> None:
        """See what somebody may have chosen elsewhere; waits for no keychain."""
        await asyncio.to_thread(self._catalogue.look)

    async def set_choice(self, owner: str, model_id: str | None) -> None:
        """Keep which model an owner has chosen: that of all prompts that name none.

        :param model_id: None leaves it to the server.
        :raises StopChatError: `unknown_model`, `model_not_allowed`.
        """
        if model_id is not None:
            provider, _, name = model_id.partition(":")
            if not provider or not name:
                raise StopChatError(ErrorCode.UNKNOWN_MODEL, "no `provider:model`")
            self.check(model_id, owner)
        await self._choices.choose(owner, model_id)

    async def give_key(self, owner: str, provider: str, key: str) -> Trial:
        """Try a key that an owner gives for a provider, and keep it unless that refuses it.

        A model that works stays the one in use: nobody has asked for another. What is given or
        taken back while a key is tried is newer than that key, which is not kept then.

        :returns: whether its provider took it.
        :raises StopChatError: `unknown_provider`, `not_allowed`, `invalid_key`, `key_refused`.
        """
        self._check_giving(owner, provider)
        mine = self._newest[owner, provider] = object()
        trial = await try_key(self._catalogue.trial_of(provider, owner, meant_key(key)))
        await self.refresh()
        if self._newest.get((owner, provider)) is not mine:
            return trial
        before, chosen = self.default_model(owner), self._choices.of(owner).model
        worked = before is not None and self._catalogue.lack_of(before, owner) is None
        await self.keys.give_key(owner, provider, key)
        if worked and not self._rules().locked and self.default_model(owner) != before:
            await self._choices.settle(owner, before, chosen)
        if provider == COMPATIBLE:
            await self._catalogue.naming.named(owner)
        return trial

    async def take_back(self, owner: str, provider: str, *, address: bool = False) -> None:
        """Forget a key that an owner gave, also one that is still tried, and the address if asked.

        :raises StopChatError: `internal`, when that cannot be written down.
        """
        self._newest.pop((owner, provider), None)
        await (self.keys.forget if address else self.keys.forget_key)(owner, provider)
        if address:
            await self._catalogue.naming.forgotten(owner)

    async def give_address(self, owner: str, provider: str, base_url: str) -> None:
        """Keep the address of a server that an owner gives.

        :raises StopChatError: `unknown_provider`, `not_allowed`, `invalid_address`.
        """
        if provider != COMPATIBLE:
            raise StopChatError(ErrorCode.UNKNOWN_PROVIDER, "it has an address of its own")
        self._check_giving(owner, provider)
        self._newest.pop((owner, provider), None)
        await self.keys.give_address(owner, provider, base_url)
        await self._catalogue.naming.named(owner)

    async def close(self) -> None:
        """Close all handlers; none can be found after that. What one of them raises is logged."""
        self._closed = True
        self.keys.close()
        await self._catalogue.close()
        building = list(self._building.values())
        for task in building:
            task.cancel()
        if ending := {*building, *self._retiring.tasks}:
            # A thread that builds cannot be ended, and a plugin may ignore that it is.
            await asyncio.wait(ending, timeout=CLOSE_S)
        handlers = self._handlers.take_all()
        self._executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.gather(
            *(close_part(type(each).__name__, each.close, CLOSE_S) for each in handlers)
        )

    # --- keys --------------------------------------------------------------------------------

    def _check_giving(self, owner: str, provider: str) -> None:
        if provider not in PROVIDERS or not PROVIDERS[provider].takes_key:
            raise StopChatError(ErrorCode.UNKNOWN_PROVIDER, "none that takes a key")
        if not self._rules().may_give(provider, owner):
            raise StopChatError(ErrorCode.NOT_ALLOWED, "giving keys is turned off")

    # --- building ----------------------------------------------------------------------------

    def _slot(self, provider: str, model_id: str, owner: str) -> Slot:
        if provider == LOCAL and not self._catalogue.is_ours(LOCAL):
            return "", LOCAL
        # What is built with an owner's key is never another's.
        own = self._catalogue.key_of(provider, owner) == "given"
        return (owner if own else ""), model_id

    def _takes(self, model_id: str, owner: str) -> Takes | None:
        """Tell what a model takes, if it is set up or was used; None: it was not."""
        provider = model_id.partition(":")[0]
        if provider == LOCAL and not self._catalogue.is_ours(LOCAL):
            return int(self._local.get("context", CONTEXT)), False, False
        return self._handlers.takes(self._slot(provider, model_id, owner))

    async def _build(self, slot: Slot, provider: str, name: str) -> ChatHandler:
        task = self._building.get(slot)
        if task is None:
            task = asyncio.create_task(self._make(slot, provider, name), name=f"build {slot[1]}")
            self._building[slot] = task
            task.add_done_callback(lambda done: self._built(slot, done))
        # Who waits may be stopped; the model is built all the same, for the next one.
        return await asyncio.shield(task)

    async def _make(self, slot: Slot, provider: str, name: str) -> ChatHandler:
        loop = asyncio.get_running_loop()
        handler = await loop.run_in_executor(self._executor, self._make_now, slot, provider, name)
        if self._building.get(slot) is asyncio.current_task():
            self._handlers.put(slot, handler)
        else:
            self._retiring.retire(handler)
        return handler

    def _built(self, slot: Slot, task: asyncio.Task[ChatHandler]) -> None:
        if self._building.get(slot) is task:
            del self._building[slot]
        if not task.cancelled():
            task.exception()  # it was raised for whoever still waits

    def _make_now(self, slot: Slot, provider: str, name: str) -> ChatHandler:
        """Import and build, in the thread."""
        if provider in self._catalogue.registered:
            return self._as_handler(self._catalogue.registered[provider](name))
        if provider in self._catalogue.plugins:
            try:
                factory: Factory = self._catalogue.plugins[provider].load()
            except ImportError as error:
                raise StopChatError(ErrorCode.MISSING_PACKAGE, str(error)) from error
            return self._as_handler(factory(name))
        if provider == LOCAL:
            from jupyter_stop_chat.chat_handlers.local import LocalHandler

            return LocalHandler(self._data_dir, **self._local)
        return self._make_langchain(slot, provider, name)

    def _make_langchain(self, slot: Slot, provider: str, name: str) -> ChatHandler:
        owner, model_id = slot
        parameters = self._parameters_of(owner, provider, model_id)
        if provider in PROVIDERS:
            lack = self._catalogue.lacks(provider, owner)
            if lack is ErrorCode.MISSING_PACKAGE or (lack and not gives_key(parameters)):
                raise StopChatError(lack, provider)
        if provider == COMPATIBLE:
            if not parameters.get("base_url"):
                raise StopChatError(ErrorCode.MISSING_KEY, "no address")
            # Else LangChain would send OpenAI's own key, from the environment, to that address.
            parameters = {"api_key": "none", "use_responses_api": False} | parameters
        from langchain.chat_models import init_chat_model

        from jupyter_stop_chat.chat_handlers.provider_errors import stop_chat_error

        known = PROVIDERS.get(provider)
        if known is not None and known.no_retries is not None:
            # We do, where the person sees it, and can stop it.
            parameters = {"max_retries": known.no_retries} | parameters
        if LANGCHAIN_NAMES.get(provider, provider) == "openai":
            # At an address of its own, LangChain's class would not ask for it.
            parameters = {"stream_usage": True} | parameters
        if known is not None:
            parameters |= clean_key(known.keys, parameters)
        secrets = secrets_in(parameters)
        try:
            model = init_chat_model(
                name,
                model_provider=LANGCHAIN_NAMES.get(provider, provider),
                **reveal(parameters),
            )
            # Some make their client, which reads certificates from the disk, at its first use.
            getattr(model, "_async_client", None)
            return self._as_handler(model)
        except ImportError as error:
            raise StopChatError(ErrorCode.MISSING_PACKAGE, str(error)) from error
        except Exception as error:
            if isinstance(error, ValueError) and "Unsupported provider" in str(error):
                raise StopChatError(ErrorCode.UNKNOWN_MODEL, provider) from error
            failure = stop_chat_error(error, secrets)
            if "api_key" in str(error).lower() or "api key" in str(error).lower():
                failure = StopChatError(ErrorCode.MISSING_KEY, failure.detail)
            raise failure from error

    def _parameters_of(self, owner: str, provider: str, model_id: str) -> dict[str, Any]:
        """Return what a model is built with; keys in it are masked."""
        parameters: dict[str, Any] = {}
        if owner:
            given = self.keys.given(owner, provider)
            if given.key is not None:
                parameters["api_key"] = given.key
            if given.base_url is not None:
                parameters["base_url"] = given.base_url
        parameters |= {
            **self._parameters.get(provider, {}),
            **self._parameters.get(model_id, {}),
        }
        return parameters

    def _as_handler(self, made: Any) -> ChatHandler:
        if hasattr(made, "reply"):
            handler: ChatHandler = made
            return handler
        from jupyter_stop_chat.chat_handlers.langchain.handler import BRIDGE, LangChainHandler

        BRIDGE.max_stuck = self._max_stuck
        return LangChainHandler(made)
