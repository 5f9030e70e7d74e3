"""The providers that are known by name: what each needs, and what it can be asked for.

Nothing is imported of them here. Others of LangChain's work as well, by their model id.
"""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "local"
#: The model that works without a key or a network.
BUILT_IN = "local:smollm2"
#: Any server that speaks as OpenAI does, at an address that a person or an administrator gives.
COMPATIBLE = "openai_compatible"
OLLAMA = "ollama"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider of LangChain's needs.

    :ivar package: what must be installed, as it is imported.
    :ivar keys: names of environment variables; one of them holds the key.
    :ivar models: those to suggest, a good general one first.
    :ivar takes_key: it can be given a key.
    :ivar keys_url: the page on which a person makes a key.
    :ivar account_url: the page on which a person pays.
    :ivar api: where it answers, unless the first of the environment's `addresses` that is there,
        in the order in which its client looks at them, says otherwise; None
        where it lists no models.
    :ivar lists: what is asked below that for its models.
    :ivar tries: what is asked there to try a key, where the list is open to all.
    :ivar header: which one carries the key.
    :ivar no_retries: the `max_retries` with which its client does not try again behind our back;
        None where that is not known.
    """

    label: str
    package: str
    keys: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    takes_key: bool = True
    keys_url: str | None = None
    account_url: str | None = None
    api: str | None = None
    addresses: tuple[str, ...] = ()
    lists: str = "/models"
    tries: str = ""
    header: str = "Authorization"
    no_retries: int | None = None

    @property
    def suggested(self) -> str:
        """Return a good general model; empty where only the provider itself knows its models."""
        return self.models[0] if self.models else ""


#: In the order in which a default is looked for, and shown.
PROVIDERS: dict[str, Provider] = {
    "openai": Provider(
        "OpenAI",
        "langchain_openai",
        ("OPENAI_API_KEY",),
        ("gpt-5-mini", "gpt-5", "gpt-5-nano"),
        keys_url="https://platform.openai.com/api-keys",
        account_url="https://platform.openai.com/settings/organization/billing/overview",
        api="https://api.openai.com/v1",
        addresses=("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        no_retries=0,
    ),
    "anthropic": Provider(
        "Anthropic",
        "langchain_anthropic",
        ("ANTHROPIC_API_KEY",),
        ("claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5"),
        keys_url="https://console.anthropic.com/settings/keys",
        account_url="https://console.anthropic.com/settings/billing",
        api="https://api.anthropic.com",
        addresses=("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
        lists="/v1/models",
        header="x-api-key",
        no_retries=0,
    ),
    "google_genai": Provider(
        "Google Gemini",
        "langchain_google_genai",
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ("gemini-2.5-flash", "gemini-2.5-pro"),
        keys_url="https://aistudio.google.com/apikey",
        account_url="https://console.cloud.google.com/billing",
        api="https://generativelanguage.googleapis.com",
        addresses=("GOOGLE_GEMINI_BASE_URL",),
        lists="/v1beta/models",
        header="x-goog-api-key",
        no_retries=1,
    ),
    "mistralai": Provider(
        "Mistral AI",
        "langchain_mistralai",
        ("MISTRAL_API_KEY",),
        ("mistral-small-latest", "mistral-large-latest"),
        keys_url="https://console.mistral.ai/api-keys",
        account_url="https://console.mistral.ai/billing",
        api="https://api.mistral.ai/v1",
        addresses=("MISTRAL_BASE_URL",),
        no_retries=1,
    ),
    "groq": Provider(
        "Groq",
        "langchain_groq",
        ("GROQ_API_KEY",),
        ("openai/gpt-oss-20b", "openai/gpt-oss-120b"),
        keys_url="https://console.groq.com/keys",
        account_url="https://console.groq.com/settings/billing",
        api="https://api.groq.com",
        addresses=("GROQ_API_BASE",),
        lists="/openai/v1/models",
        no_retries=0,
    ),
    "deepseek": Provider(
        "DeepSeek",
        "langchain_deepseek",
        ("DEEPSEEK_API_KEY",),
        ("deepseek-chat", "deepseek-reasoner"),
        keys_url="https://platform.deepseek.com/api_keys",
        account_url="https://platform.deepseek.com/top_up",
        api="https://api.deepseek.com/v1",
        addresses=("DEEPSEEK_API_BASE",),
        no_retries=0,
    ),
    "xai": Provider(
        "xAI",
        "langchain_xai",
        ("XAI_API_KEY",),
        ("grok-4",),
        keys_url="https://console.x.ai/",
        account_url="https://console.x.ai/",
        api="https://api.x.ai/v1",
        no_retries=0,
    ),
    "openrouter": Provider(
        "OpenRouter",
        "langchain_openrouter",
        ("OPENROUTER_API_KEY",),
        keys_url="https://openrouter.ai/settings/keys",
        account_url="https://openrouter.ai/settings/credits",
        api="https://openrouter.ai/api/v1",
        addresses=("OPENROUTER_API_BASE",),
        tries="/key",
    ),
    "together": Provider(
        "Together AI",
        "langchain_together",
        ("TOGETHER_API_KEY",),
        keys_url="https://api.together.xyz/settings/api-keys",
        account_url="https://api.together.xyz/settings/billing",
        api="https://api.together.xyz/v1",
        addresses=("TOGETHER_API_BASE",),
        no_retries=0,
    ),
    "fireworks": Provider(
        "Fireworks AI",
        "langchain_fireworks",
        ("FIREWORKS_API_KEY",),
        keys_url="https://app.fireworks.ai/settings/users/api-keys",
        account_url="https://app.fireworks.ai/settings/billing",
        api="https://api.fireworks.ai/inference/v1",
        addresses=("FIREWORKS_API_BASE",),
    ),
    "perplexity": Provider(
        "Perplexity",
        "langchain_perplexity",
        ("PPLX_API_KEY",),
        ("sonar",),
        keys_url="https://www.perplexity.ai/account/api/keys",
        account_url="https://www.perplexity.ai/account/api/billing",
    ),
    OLLAMA: Provider("Ollama", "langchain_ollama", takes_key=False),
    COMPATIBLE: Provider("OpenAI-compatible server", "langchain_openai", no_retries=0),
}

#: What LangChain calls a provider, where that is another name than ours.
LANGCHAIN_NAMES = {COMPATIBLE: "openai"}
