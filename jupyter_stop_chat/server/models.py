"""The HTTP routes of models: which there are, providers' keys, and the local one's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_stop_chat.models.listing import LIMIT_S
from jupyter_stop_chat.models.providers import PROVIDERS
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import (
    AddressRequest,
    ChoiceRequest,
    KeyGiven,
    KeyRequest,
    LocalModel,
)
from jupyter_stop_chat.wire.model_objects import ModelList
from jupyter_stop_chat.wire.objects import ErrorInfo

from .base import StopChatHandler
from .openapi import Operation

if TYPE_CHECKING:
    from jupyter_stop_chat.models import Models
    from jupyter_stop_chat.services import Services


class ModelsHandler(StopChatHandler):
    """The handler of `models`."""

    @Operation("list_models", "read", ModelList, query={"wait": {"type": "boolean"}})
    async def get(self) -> None:
        """List what can be chosen now, and what is missing for the rest; with `wait`, once
        all servers have answered that list their own models.
        """
        models = (await self.services()).models
        waits = self.get_query_argument("wait", "") in {"1", "true"}
        self.answer(await models.listed(self.owner, LIMIT_S if waits else 0.0))


class ChoiceHandler(StopChatHandler):
    """The handler of `models/choice`: the model that a person has chosen."""

    @Operation("choose_model", "write", status=204, body=ChoiceRequest, failures=(404, 413))
    async def put(self) -> None:
        """Choose the model of all prompts that name none, in each page and in notebooks."""
        asked = self.body(ChoiceRequest)
        await (await self.services()).models.set_choice(self.owner, asked.model)
        self.set_status(204)
        self.finish()

    @Operation("choose_no_model", "write", status=204)
    async def delete(self) -> None:
        """Leave the choice of a model to the server."""
        await (await self.services()).models.set_choice(self.owner, None)
        self.set_status(204)
        self.finish()


class _GivenHandler(StopChatHandler):
    """The handler of what is given for a provider."""

    async def models_for(self, name: str) -> Models:
        """Return the models, once it is known that there is such a provider.

        :raises StopChatError: `unknown_provider`.
        """
        if name not in PROVIDERS:
            raise StopChatError(ErrorCode.UNKNOWN_PROVIDER)
        return (await self.services()).models

    def done(self) -> None:
        """Answer that it is done, and nothing else."""
        self.set_status(204)
        self.finish()


class KeyHandler(_GivenHandler):
    """The handler of `providers/{name}/key`; a key goes in here, and never out."""

    @Operation("give_key", "write", KeyGiven, body=KeyRequest, failures=(413, 502))
    async def put(self, name: str) -> None:
        """Try a key at its provider, and keep it unless it is refused."""
        asked = self.body(KeyRequest)
        trial = await (await self.models_for(name)).give_key(self.owner, name, asked.key)
        error = None
        if (why := trial.why) is not None:
            error = ErrorInfo(code=why.code, message=why.sentence, said=why.said)
        self.answer(KeyGiven(tried=trial.accepted, untried=error))

    @Operation("take_key_back", "write", status=204)
    async def delete(self, name: str) -> None:
        """Forget the key that was given for a provider."""
        await (await self.models_for(name)).take_back(self.owner, name)
        self.done()


class AddressHandler(_GivenHandler):
    """The handler of `providers/{name}/address`: where an OpenAI-compatible server is."""

    @Operation("give_address", "write", status=204, body=AddressRequest, failures=(413,))
    async def put(self, name: str) -> None:
        """Keep the address of an OpenAI-compatible server.

        A key that was given for another one is forgotten.
        """
        asked = self.body(AddressRequest)
        await (await self.models_for(name)).give_address(self.owner, name, asked.base_url)
        self.done()

    @Operation("take_address_back", "write", status=204)
    async def delete(self, name: str) -> None:
        """Forget the address, and the key that was given for it."""
        await (await self.models_for(name)).take_back(self.owner, name, address=True)
        self.done()


class LocalModelHandler(StopChatHandler):
    """The handler of `local-model`: the weights of the built-in model."""

    @Operation("get_local_model", "read", LocalModel)
    async def get(self) -> None:
        """Tell whether the built-in model's weights are there, or how far they are."""
        self.answer(await self._state(await self.services()))

    @Operation("install_local_model", "write", LocalModel, status=202)
    async def post(self) -> None:
        """Begin to install them, unless that has begun."""
        services = await self.services()
        if not self.app.allow_install:
            raise StopChatError(ErrorCode.NOT_ALLOWED, "installing is turned off")
        services.installing.start()
        self.answer(await self._state(services), 202)

    @Operation("stop_installing", "write", LocalModel)
    async def delete(self) -> None:
        """Stop their installation; weights that are there stay."""
        services = await self.services()
        services.installing.stop()
        await services.installing.ended()
        self.answer(await self._state(services))

    async def _state(self, services: Services) -> LocalModel:
        installing = services.installing
        error = None
        if installing.failure is not None:
            code, error_id = installing.failure
            error = ErrorInfo(code=code, message=SENTENCES[code][0], error_id=error_id)
        return LocalModel(
            state=await installing.state(),
            done=installing.done,
            total=installing.total,
            may_install=self.app.allow_install,
            error=error,
        )
