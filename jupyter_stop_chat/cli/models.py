"""`jupyter stop-chat models`: which models can be chosen, and what the others need."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_data_dir

from jupyter_stop_chat.app import StopChatApp
from jupyter_stop_chat.settings.read import read_settings
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode

if TYPE_CHECKING:
    from jupyter_stop_chat.wire.model_objects import ModelList
    from jupyter_stop_chat.wire.objects import ModelInfo


def table() -> str:
    """Return the models of this machine's settings, one a line, the default marked by a star.

    :raises SettingsError: when the settings are wrong.
    """
    return asyncio.run(_table())


async def _table() -> str:
    from jupyter_stop_chat.models import Models

    app = read_settings(StopChatApp)
    models = Models(
        Path(jupyter_data_dir()),
        parameters=dict(app.model_parameters),
        rules=app.model_rules,
    )
    try:
        listed = await models.listed()
    finally:
        await models.close()
    if not listed.models:
        return "No model is allowed here."
    widest = max(len(model.id) for model in listed.models)
    return "\n".join(
        f"{'*' if model.id == listed.default_model else ' '} {model.id:<{widest}}  "
        f"{_state(model, listed)}"
        for model in listed.models
    )


def _state(model: ModelInfo, listed: ModelList) -> str:
    known = next((each for each in listed.providers if each.name == model.provider), None)
    match model.reason:
        case None:
            sources = {
                "environment": "ready: a key is in the environment",
                "settings": "ready: set up in the settings",
                "given": "ready: a key was given in the page",
            }
            return sources.get(known.key if known and known.key else "", "ready")
        case ErrorCode.MISSING_KEY:
            return "needs a key"
        case ErrorCode.MISSING_PACKAGE if known is not None:
            return f"needs a package: pip install {known.package}"
        case ErrorCode.MISSING_PACKAGE:
            return "needs a package: pip install 'jupyter-stop-chat[local]'"
        case ErrorCode.LOCAL_MODEL_MISSING:
            return "not installed: jupyter stop-chat install-local-model"
        case other:
            return SENTENCES[other][0]
