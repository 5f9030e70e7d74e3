"""The real LangChain models that talk to the providers here."""

from __future__ import annotations

from typing import Any

# Here, and not where they are used: on an event loop.
from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from .openai import OpenAIProvider
from .server import Provider

#: No test may find it in anything that is shown or logged.
KEY = "sk-canary-0123456789"
#: OpenAI is spoken to in two ways.
MODELS = ["openai", "responses", "anthropic", "ollama"]


def make_provider(kind: str) -> Provider:
    """Make the provider that a model of `MODELS` talks to."""
    from . import KINDS

    return OpenAIProvider() if kind == "responses" else KINDS[kind]()


def make_model(kind: str, provider_url: str, **more: Any) -> Any:
    """Build a model as `init_chat_model` would."""
    if kind in {"openai", "responses"}:
        return ChatOpenAI(
            base_url=provider_url,
            api_key=KEY,
            model="gpt-test",
            max_retries=0,
            stream_usage=True,
            use_responses_api=kind == "responses",
            **more,
        )
    if kind == "anthropic":
        return ChatAnthropic(
            base_url=provider_url, api_key=KEY, model="claude-test", max_retries=0, **more
        )
    return ChatOllama(
        base_url=provider_url,
        model="test",
        reasoning=True,
        client_kwargs={"headers": {"Authorization": f"Bearer {KEY}"}},
        **more,
    )


# What their packages import and make at the first use, they do here: outside every event loop.
for _kind in MODELS:
    make_model(_kind, "http://127.0.0.1:9")
