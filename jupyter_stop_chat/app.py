"""The server extension: its settings, its wiring, its start and its end.

Loaded at every start of Jupyter Server, so it imports nothing heavy: the engine's services are
made at the first use, and what they import they import in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Bunch, Enum, List, TraitType, observe, validate
from traitlets.config import Config

from . import __version__
from .connection.rates import Bucket, Held, Rates
from .engine import Engine, EngineLimits
from .services import Services, Wanted, end_services, make_services
from .settings.agent import AgentSettings
from .settings.check import SettingsError, faults_in, unread_files_of
from .settings.kinds import (
    Amount,
    BusUrl,
    Count,
    DatabaseUrl,
    Instructions,
    ModelId,
    ModelParameters,
    ModelPattern,
)
from .settings.masking import mask, mask_config
from .settings.mcp import McpSettings
from .settings.spending import SpendingSettings
from .threads import in_thread

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from .engine.chats.titles import TitleMode
    from .models import Rules
    from .server.activity import Activity
    from .wire.objects import Policy

log = logging.getLogger(__package__)

#: Settings that can hold a key or a password: their values are in no log.
SECRET = frozenset({"model_parameters", "mcp_servers", "db_url", "bus_url"})


class StopChatApp(AgentSettings, McpSettings, SpendingSettings, ExtensionApp):
    """The chat as an extension of Jupyter Server."""

    name = "jupyter_stop_chat"
    description = "A chat whose Stop really stops."
    version = __version__
    load_other_extensions = True

    default_model = ModelId(
        "",
        help="The model of a prompt that names none, of who has chosen none, as provider:model. "
        "Empty: the local model where it is installed, else that of the first provider with a "
        "key.",
    ).tag(config=True)
    allowed_models = List(
        ModelPattern(),
        help="The only models that may be used, as ids or as patterns such as openai:*. "
        "Empty: any.",
    ).tag(config=True)
    lock_model = Bool(False, help="Let nobody choose another model than the default one.").tag(
        config=True
    )
    allow_keys = Bool(True, help="Let people give keys of their own in the page.").tag(config=True)
    allow_model_files = Bool(
        None,
        allow_none=True,
        help="Let people run GGUF files of the server by their path (local:/path.gguf). None: "
        "where the server has one owner, and not where people have names.",
    ).tag(config=True)
    allow_base_urls = Bool(
        None,
        allow_none=True,
        help="Let people have the server connect to an OpenAI-compatible address of theirs. "
        "None: where the server has one owner, and not where people have names.",
    ).tag(config=True)
    allow_install = Bool(True, help="Let people install the local model from the page.").tag(
        config=True
    )
    local_idle_shutdown = Amount(
        600.0, help="Seconds without a prompt after which the local model's process is ended."
    ).tag(config=True)
    local_memory_limit = Count(
        4096,
        min=0,
        help="Megabytes that a local model's process may use besides its weights; 0: no limit. "
        "Linux and macOS only.",
    ).tag(config=True)
    model_parameters = ModelParameters(
        help="Parameters for LangChain's init_chat_model, by provider or by model id, such as "
        '{"openai": {"base_url": "…"}}. Keys are better kept in the environment.',
    ).tag(config=True)
    instructions = Instructions(
        "",
        help="What the models of all people are told before each chat, in words. Empty: nothing.",
    ).tag(config=True)
    db_url = DatabaseUrl(
        "",
        help="Where chats are kept, as a SQLAlchemy URL. Empty: a SQLite file in Jupyter's "
        "data folder.",
    ).tag(config=True)
    bus_url = BusUrl(
        "",
        help="The Redis by which several servers reach each other at once, such as "
        "rediss://:password@host:6379. Empty: they reach each other through the database.",
    ).tag(config=True)
    while_generating = Enum(
        ["queue", "interrupt", "reject"],
        "queue",
        help="What becomes of a prompt that is sent while a reply is being made in its chat.",
    ).tag(config=True)
    titles = Enum(
        ["model", "prompt"],
        "model",
        help="Who makes the title of a chat after its first turn: the chat's model, in the "
        "background, or nobody, and it is the prompt's first words.",
    ).tag(config=True)
    stop_deadline = Amount(
        EngineLimits.stop_deadline,
        help="Seconds after which a stopped model that does not react is fenced off.",
    ).tag(config=True)
    max_duration = Amount(EngineLimits.max_duration, help="Seconds that one reply may take.").tag(
        config=True
    )
    max_prompt_length = Count(
        EngineLimits.max_prompt_length, min=1, help="The longest prompt, in UTF-16 code units."
    ).tag(config=True)
    max_reply_length = Count(
        EngineLimits.max_reply_length, min=1, help="The longest reply, in UTF-16 code units."
    ).tag(config=True)
    max_generations_per_owner = Count(
        EngineLimits.max_generations_per_owner,
        min=1,
        help="How many replies an owner may have in the making or waiting.",
    ).tag(config=True)
    max_generations = Count(
        EngineLimits.max_generations,
        min=1,
        help="How many replies the server may have in the making or waiting.",
    ).tag(config=True)
    max_stuck = Count(
        EngineLimits.max_stuck,
        min=1,
        help="How many models may ignore their stop at once before new prompts are refused.",
    ).tag(config=True)
    max_chats_per_owner = Count(
        EngineLimits.max_chats_per_owner,
        min=0,
        help="How many chats an owner may have; 0: any number.",
    ).tag(config=True)
    max_picture_megabytes = Count(
        EngineLimits.max_picture_megabytes,
        min=0,
        help="How many megabytes the pictures of an owner's chats may take; 0: any number.",
    ).tag(config=True)
    max_sockets_per_owner = Count(
        100,
        min=0,
        help="How many sockets an owner may have open, one for each page; 0: any number.",
    ).tag(config=True)
    max_rate = Amount(
        100.0,
        zero=True,
        help="How many frames of one socket, and how many HTTP requests of one owner, are taken "
        "in a second, in the long run. Stops are taken beyond it. 0: any number.",
    ).tag(config=True)
    max_burst = Count(
        400,
        min=1,
        help="How many such frames or requests are taken at once, after a while of fewer than "
        "max_rate.",
    ).tag(config=True)
    open_chat = Bool(False, help="Open the chat when JupyterLab opens.").tag(config=True)

    _services: asyncio.Task[Services] | None = None
    _log_before: logging.Logger | None = None
    _activity: Activity | None = None
    #: What is wrong with the settings; nothing of the chat is there then.
    _faults: tuple[str, ...] = ()
    #: All of it is there.
    _ready = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: How often each owner asks by HTTP, and the sockets that each has open.
        self.rates = Rates(self.new_bucket)
        self.sockets = Held()

    def new_bucket(self) -> Bucket:
        """Return what limits how often one socket, or one owner, may ask."""
        return Bucket(self.max_rate, self.max_burst)

    @validate("model_parameters")
    def _mask_parameters(self, proposal: Bunch) -> dict[str, Any]:
        """Keep keys so that no print-out of the settings shows them."""
        return mask(proposal["value"])

    @observe("config")
    def _config_changed(self, change: Bunch) -> None:
        """Mask keys before the configuration is written to the log."""
        self._mask_config(change.new)
        super()._config_changed(change)

    def _load_config(
        self,
        cfg: Config,
        section_names: list[str] | None = None,
        traits: dict[str, TraitType[Any, Any]] | None = None,
    ) -> None:
        """Take settings, all or none of them.

        :raises SettingsError: when one is unknown or wrong.
        """
        faults = tuple(faults_in(self, cfg, SECRET))
        if faults:
            self._faults += faults
            raise SettingsError(faults)
        super()._load_config(cfg, section_names, traits)

    def _link_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Take the server's settings, and mask keys in them: `--show-config` prints them."""
        # The package's log is the server's: its level, its form, where it goes.
        self._log_before, log.parent = log.parent, serverapp.log
        self._mask_config(serverapp.config)
        # A wrong one in a file of our own has Jupyter's loader end the process.
        with suppress(SettingsError, SystemExit):
            super()._link_jupyter_server_extension(serverapp)
        self._mask_config(serverapp.config)

    def initialize(self) -> None:  # type: ignore[override]  # as ExtensionApp has it
        """Add the chat to the server: all of it, or nothing where its settings are wrong.

        :raises SettingsError: so that Jupyter Server says that it is not there.
        """
        server = self.serverapp
        assert server is not None
        if not self._faults:
            # Applications that were linked after this one, JupyterLab's among them, have read
            # files of their own meanwhile.
            self._mask_config(server.config)
            with suppress(SettingsError):
                self.update_config(server.config)
        self._faults += tuple(unread_files_of(server))
        if self._faults or not self._linked:
            error = SettingsError(self._faults or ["they could not be read"])
            server.log.critical("Stop Chat is off, since its settings are wrong: %s.", error)
            raise error
        super().initialize()  # type: ignore[no-untyped-call]
        self._ready = True

    def _mask_config(self, config: Config) -> None:
        for name in ("model_parameters", "mcp_servers"):
            mask_config(config, type(self).__name__, self.traits()[name])

    def initialize_settings(self) -> None:
        """Tell the page, and whoever records events, what they must know before they connect."""
        from .observe import events

        if self.serverapp is not None and self.serverapp.event_logger is not None:
            events.register(self.serverapp.event_logger)
        if self.open_chat:
            page = self.settings.setdefault("page_config_data", {})
            page["stopChatOpen"] = "true"

    def initialize_handlers(self) -> None:
        """Add the routes."""
        from .server.routes import routes

        self.handlers.extend(routes(self))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Recover what an ended server left behind, once this one serves."""
        if not self._ready:
            return
        from .server.activity import Activity

        self._activity = Activity(serverapp.web_app, self.name, self.current_activity)
        if os.path.exists(self._sqlite_file()) or self.db_url:  # noqa: ASYNC240 - one stat
            self._begin_services()

    async def services(self) -> Services:
        """Return the engine and what it works with; made once, at the first use.

        :raises SettingsError: when the settings are wrong.
        """
        if self._faults:
            raise SettingsError(self._faults)
        return await asyncio.shield(self._begin_services())

    def _begin_services(self) -> asyncio.Task[Services]:
        if self._services is None or (
            self._services.done()
            and (self._services.cancelled() or self._services.exception() is not None)
        ):
            self._services = asyncio.create_task(self._made(), name="stop-chat services")
        return self._services

    async def _made(self) -> Services:
        of_server = await in_thread(self._of_server)  # what it imports takes long
        return await make_services(self._wanted(**of_server))

    def _wanted(self, **of_server: Any) -> Wanted:
        return Wanted(
            data_folder=Path(jupyter_data_dir()),
            db_url=self.db_url or f"sqlite:///{self._sqlite_file()}",
            bus_url=self.bus_url,
            parameters=dict(self.model_parameters),
            rules=self.model_rules,
            local={
                "idle_shutdown_s": self.local_idle_shutdown,
                "memory_mb": self.local_memory_limit,
            },
            limits=EngineLimits(
                **{
                    each.name: getattr(self, each.name)
                    for each in fields(EngineLimits)
                    if self.has_trait(each.name)
                }
            ),
            policy=cast("Policy", self.while_generating),
            titles=cast("TitleMode", self.titles),
            event_logger=self.serverapp.event_logger if self.serverapp else None,
            instructions=lambda: self.instructions,
            budget=self.budget,
            agent=self.agent_rules,
            **of_server,
        )

    def _of_server(self) -> dict[str, Any]:
        """Return what asks the server, where there is one: in a kernel there is none. Blocks."""
        if (server := self.serverapp) is None:
            return {}
        from .server.jupyter.parts import parts_of
        from .server.owners import ONE_OWNER

        return {**parts_of(server), "mcp": partial(self.mcp_rules, ONE_OWNER)}

    def model_rules(self) -> Rules:
        """Return what the settings say of models; they may change while the server runs."""
        from .models import Rules
        from .server.owners import ONE_OWNER

        return Rules(
            default=self.default_model,
            allowed=tuple(self.allowed_models),
            locked=self.lock_model,
            keys=self.allow_keys,
            files=self.allow_model_files,
            addresses=self.allow_base_urls,
            installs=self.allow_install,
            one_owner=ONE_OWNER,
        )

    @staticmethod
    def _sqlite_file() -> str:
        return str(Path(jupyter_data_dir()) / "stop-chat" / "chats.sqlite")

    def _running_engine(self) -> Engine | None:
        task = self._services
        if task is None or not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result().engine

    def current_activity(self) -> dict[str, Any]:
        """Return what is being generated; what waits for a person keeps no server awake."""
        engine = self._running_engine()
        if engine is None:
            return {}
        running = (each for each in engine.running() if not each.asks)
        return {generation.id: {"model": generation.model} for generation in running}

    async def stop_extension(self) -> None:
        """Stop and save what runs, then let go of everything."""
        if self._activity is not None:
            self._activity.close()
            self._activity = None
        try:
            if self._services is not None:
                await end_services(self._services)
        finally:
            if self.serverapp is not None and log.parent is self.serverapp.log:
                log.parent = self._log_before
