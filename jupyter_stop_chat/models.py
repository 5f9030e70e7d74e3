"""Find the chat handler of a model id, and know which models can be chosen.

Nothing heavy is imported here: packages are imported and models built in a thread of our own, at
the first use, and kept.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .chat_handlers.base import ChatHandler
from .errors import ErrorCode, StopChatError
from .masking import reveal, secrets_in
from .protocol import ModelInfo

#: Where a package offers its own providers: name = provider, value = a factory.
ENTRY_POINTS = "jupyter_stop_chat.chat_handlers"
LOCAL = "local"
#: The model that works without a key or a network.
BUILT_IN = "local:smollm2"

#: Called with the name after the colon; returns a chat handler, or a LangChain runnable.
Factory = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """Know what a provider of LangChain's needs.

    :ivar keys: names of environment variables; one of them holds the key.
    :ivar suggested: a good general model.
    """

    label: str
    package: str
    keys: tuple[str, ...]
    suggested: str


#: In the order in which a default is looked for. Others work as well, by their model id.
PROVIDERS: dict[str, Provider] = {
    "openai": Provider("OpenAI", "langchain_openai", ("OPENAI_API_KEY",), "gpt-5-mini"),
    "anthropic": Provider(
        "Anthropic", "langchain_anthropic", ("ANTHROPIC_API_KEY",), "claude-sonnet-4-5"
    ),
    "google_genai": Provider(
        "Google Gemini",
        "langchain_google_genai",
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        "gemini-2.5-flash",
    ),
    "mistralai": Provider(
        "Mistral AI", "langchain_mistralai", ("MISTRAL_API_KEY",), "mistral-small-latest"
    ),
    "groq": Provider("Groq", "langchain_groq", ("GROQ_API_KEY",), "openai/gpt-oss-20b"),
    "deepseek": Provider("DeepSeek", "langchain_deepseek", ("DEEPSEEK_API_KEY",), "deepseek-chat"),
}


class Models:
    """Turn model ids into chat handlers.

    :param data_dir: Jupyter's data directory, below which the local model's weights are.
    :param parameters: what models are built with, by provider or by model id (which wins):
        `{"openai": {"base_url": …}, "openai:gpt-5": {"temperature": 0}}`.
    :param max_stuck: how many threads of sync models may run on after their stop.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        max_stuck: int = 64,
    ) -> None:
        self._data_dir = data_dir
        self._max_stuck = max_stuck
        #: Keys in it are masked; they are revealed to LangChain alone.
        self._parameters = parameters or {}
        self._registered: dict[str, Factory] = {}
        self._handlers: dict[str, ChatHandler] = {}
        self._building: dict[str, asyncio.Task[ChatHandler]] = {}
        self._executor = ThreadPoolExecutor(1, "stop-chat-import")

    def register(self, provider: str, factory: Factory) -> None:
        """Offer models under a provider's name of your own, before all others of that name.

        :param provider: what stands before the colon of the model id.
        :param factory: called in a thread with the name after the colon; returns a chat handler,
            or a runnable of LangChain or LangGraph.
        """
        self._registered[provider] = factory
        self.forget(provider)

    def forget(self, provider: str) -> None:
        """Build a provider's models anew at their next use, as when its key has changed.

        A reply that is being made keeps the model that it began with.
        """
        for slot in [each for each in self._handlers if each.split(":")[0] == provider]:
            del self._handlers[slot]
        # What is being built with the old settings is for those who wait for it, and not kept.
        for slot in [each for each in self._building if each.split(":")[0] == provider]:
            del self._building[slot]

    async def resolve(self, model_id: str) -> tuple[ChatHandler, str]:
        """Find the chat handler for a model id, and build it at the first use.

        :param model_id: `provider:model`.
        :returns: the handler, and the name after the colon.
        :raises StopChatError: `unknown_model`, `missing_package`, `missing_key`,
            `unstoppable_model`, or what else building it came to.
        """
        provider, colon, name = model_id.partition(":")
        if not colon or not provider or not name:
            raise StopChatError(ErrorCode.UNKNOWN_MODEL, "no `provider:model`")
        # One handler serves all local models.
        slot = LOCAL if provider == LOCAL and not self._is_ours(LOCAL) else model_id
        handler = self._handlers.get(slot)
        if handler is None:
            handler = await self._build(slot, provider, name)
        return handler, name

    def default_model(self, trait_value: str = "") -> str | None:
        """Return the model of a prompt that names none.

        :param trait_value: what the administrator set; empty when nothing was.
        :returns: the first provider's whose package and key are there, else the local model,
            whose error says how to install it.
        """
        if trait_value:
            return trait_value
        for name, provider in PROVIDERS.items():
            if self._lacks(name) is None:
                return f"{name}:{provider.suggested}"
        return BUILT_IN

    def available(self) -> tuple[ModelInfo, ...]:
        """List the models that can be suggested; imports nothing."""
        ours = [
            ModelInfo(id=f"{name}:default", label=name, available=True)
            for name in sorted({*self._registered, *self._plugins})
        ]
        known = []
        for name, provider in PROVIDERS.items():
            if self._is_ours(name):
                continue
            lack = self._lacks(name)
            known.append(
                ModelInfo(
                    id=f"{name}:{provider.suggested}",
                    label=f"{provider.label}: {provider.suggested}",
                    available=lack is None,
                    reason=lack,
                )
            )
        if not self._is_ours(LOCAL):
            lack = self._lacks_local()
            known.append(
                ModelInfo(id=BUILT_IN, label="Local: SmolLM2", available=lack is None, reason=lack)
            )
        return (*ours, *known)

    async def close(self) -> None:
        """Close all handlers; none can be found after that."""
        building = list(self._building.values())
        for task in building:
            task.cancel()
        await asyncio.gather(*building, return_exceptions=True)
        handlers = list({id(each): each for each in self._handlers.values()}.values())
        self._handlers.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)
        closed = await asyncio.gather(*(each.close() for each in handlers), return_exceptions=True)
        for outcome in closed:
            if isinstance(outcome, BaseException):
                raise outcome

    # --- what is there -----------------------------------------------------------------------

    @cached_property
    def _plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=ENTRY_POINTS)}

    def _is_ours(self, provider: str) -> bool:
        return provider in self._registered or provider in self._plugins

    def _lacks(self, name: str) -> ErrorCode | None:
        """Tell what a known provider lacks."""
        provider = PROVIDERS[name]
        if find_spec(provider.package) is None:
            return ErrorCode.MISSING_PACKAGE
        has_key = any(os.environ.get(key) for key in provider.keys)
        return None if has_key or _gives_key(self._parameters.get(name)) else ErrorCode.MISSING_KEY

    def _lacks_local(self) -> ErrorCode | None:
        if find_spec("xllamacpp") is None:
            return ErrorCode.MISSING_PACKAGE
        from .local_model.weights import is_installed

        return None if is_installed(self._data_dir) else ErrorCode.LOCAL_MODEL_MISSING

    # --- building ----------------------------------------------------------------------------

    async def _build(self, slot: str, provider: str, name: str) -> ChatHandler:
        task = self._building.get(slot)
        if task is None:
            task = asyncio.create_task(self._make(slot, provider, name), name=f"build {slot}")
            self._building[slot] = task
            task.add_done_callback(lambda done: self._built(slot, done))
        # Who waits may be stopped; the model is built all the same, for the next one.
        return await asyncio.shield(task)

    async def _make(self, slot: str, provider: str, name: str) -> ChatHandler:
        loop = asyncio.get_running_loop()
        handler = await loop.run_in_executor(self._executor, self._make_now, slot, provider, name)
        if self._building.get(slot) is asyncio.current_task():
            self._handlers[slot] = handler
        return handler

    def _built(self, slot: str, task: asyncio.Task[ChatHandler]) -> None:
        if self._building.get(slot) is task:
            del self._building[slot]
        if not task.cancelled():
            task.exception()  # it was raised for whoever still waits

    def _make_now(self, slot: str, provider: str, name: str) -> ChatHandler:
        """Import and build, in the thread."""
        if provider in self._registered:
            return self._as_handler(self._registered[provider](name))
        if provider in self._plugins:
            try:
                factory: Factory = self._plugins[provider].load()
            except ImportError as error:
                raise StopChatError(ErrorCode.MISSING_PACKAGE, str(error)) from error
            return self._as_handler(factory(name))
        if provider == LOCAL:
            from .chat_handlers.local import LocalHandler

            return LocalHandler(self._data_dir)
        return self._make_langchain(slot, provider, name)

    def _make_langchain(self, model_id: str, provider: str, name: str) -> ChatHandler:
        parameters = {
            **self._parameters.get(provider, {}),
            **self._parameters.get(model_id, {}),
        }
        if provider in PROVIDERS:
            lack = self._lacks(provider)
            if lack is ErrorCode.MISSING_PACKAGE or (lack and not _gives_key(parameters)):
                raise StopChatError(lack, provider)
        from langchain.chat_models import init_chat_model

        from .chat_handlers.provider_errors import stop_chat_error

        secrets = secrets_in(parameters)
        try:
            model = init_chat_model(name, model_provider=provider, **reveal(parameters))
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

    def _as_handler(self, made: Any) -> ChatHandler:
        if hasattr(made, "reply"):
            handler: ChatHandler = made
            return handler
        from .chat_handlers.langchain import BRIDGE, LangChainHandler

        BRIDGE.max_stuck = self._max_stuck
        return LangChainHandler(made)


def _gives_key(parameters: Mapping[str, Any] | None) -> bool:
    """Tell whether parameters make a key in the environment unnecessary."""
    return any(
        value and (name.endswith("api_key") or name == "base_url")
        for name, value in (parameters or {}).items()
    )
