"""What models cost: by the list of prices that `genai-prices` brings, which asks no network.

It is imported in a thread, at the first reply that has a price: that takes half a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.objects import Cost, Usage

from .places import address_of
from .providers import LOCAL, OLLAMA, PROVIDERS

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

log = logging.getLogger(__name__)

#: What the list calls LangChain's providers.
LISTED_AS = {
    "anthropic": "anthropic",
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google_genai": "google",
    "google_vertexai": "google",
    "groq": "groq",
    "mistralai": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "xai": "x-ai",
}
#: What Ollama calls models that run on its makers' machines.
_NOT_HERE = ("-cloud", ":cloud")
MILLION = 1_000_000
#: So many models that were looked up are kept, found or not: a person may write any name.
MOST_FOUND = 1000
#: What the list calls a provider, and a model of it.
Listed = tuple[str, str]
Found = tuple["Provider", "ModelInfo"]


class _NotLookedUpError(LookupError):
    """A model that was not looked up yet."""

    def __init__(self, listed: Listed) -> None:
        super().__init__(listed)
        self.listed = listed


class ListPrices:
    """What knows the prices of providers, by their lists.

    :param parameters: the administrator's, by provider or by model id: who asks another address
        than the provider's own may pay another price.
    :param is_ours: tells whether a provider is a package's or the server's own: nobody knows
        what it costs.
    """

    def __init__(
        self, parameters: Mapping[str, Mapping[str, Any]], is_ours: Callable[[str], bool]
    ) -> None:
        self._parameters = parameters
        self._is_ours = is_ours
        #: The models that were looked up: a reply's end waits for no thread then.
        self._found: dict[Listed, Found | None] = {}
        self._begun: set[Listed] = set()

    def prepare(self, model_id: str) -> None:
        """Begin to look a model up, if the list may have it; this returns at once."""
        listed = self._listed(model_id)
        if listed is None or listed in self._found or listed in self._begun:
            return
        self._begun.add(listed)
        find = partial(self._find, listed)
        try:
            threading.Thread(target=find, name="stop-chat-prices", daemon=True).start()
        except RuntimeError:  # there are as many threads as there may be: it is found at the end
            self._begun.discard(listed)

    async def cost(self, model_id: str, usage: Usage) -> Cost | None:
        """Return what tokens cost now; None where nobody knows their price."""
        try:
            return self.cost_at_once(model_id, usage)
        except _NotLookedUpError as error:
            found = await in_thread(self._find, error.listed)
        return self._cost_of(found, model_id, usage)

    def cost_at_once(self, model_id: str, usage: Usage) -> Cost | None:
        """Return the same.

        :raises LookupError: the model was not looked up yet.
        """
        provider, _, model = model_id.partition(":")
        if self._is_free(provider, model):
            return Cost(amount=0)
        listed = self._listed(model_id)
        if listed is None or usage.output_tokens is None:
            return None
        try:  # in one step: a thread may clear it
            found = self._found[listed]
        except KeyError:
            raise _NotLookedUpError(listed) from None
        return self._cost_of(found, model_id, usage)

    def _cost_of(self, found: Found | None, model_id: str, usage: Usage) -> Cost | None:
        amount = amount_of(found, usage) if found is not None else None
        if amount is None:
            return None
        return Cost(amount=amount, estimated=usage.estimated or self._is_elsewhere(model_id))

    def _is_free(self, provider: str, model: str) -> bool:
        """Tell whether a model runs on a machine of one's own."""
        if self._is_ours(provider):
            return False
        return provider == LOCAL or (provider == OLLAMA and not model.endswith(_NOT_HERE))

    def _listed(self, model_id: str) -> Listed | None:
        provider, _, model = model_id.partition(":")
        listed_as = None if self._is_ours(provider) else LISTED_AS.get(provider)
        return None if listed_as is None else (listed_as, model)

    def _find(self, listed: Listed) -> Found | None:
        """Look a model up, in a thread; others may take the place of what is kept meanwhile."""
        found = find(*listed)
        if len(self._found) >= MOST_FOUND:
            self._found.clear()
        self._found[listed] = found
        self._begun.discard(listed)
        return found

    def _is_elsewhere(self, model_id: str) -> bool:
        """Tell whether a model is asked at another address than its provider's own."""
        provider = model_id.partition(":")[0]
        known = PROVIDERS.get(provider)
        if known is None or known.api is None:
            return False
        parameters = {**self._parameters.get(provider, {}), **self._parameters.get(model_id, {})}
        return address_of(provider, parameters) != known.api


def find(listed_as: str, model: str) -> Found | None:
    """Return a model of the list; None where it is not there.

    Imports the list at its first use, and looks through all of a provider's models: belongs in a
    thread.

    :param listed_as: what the list calls the provider.
    """
    try:
        from genai_prices.data_snapshot import get_snapshot

        return get_snapshot().find_provider_model(model, None, listed_as, None)
    except LookupError:
        return None
    except Exception as error:  # noqa: BLE001 - a reply does not fail for its price
        log.warning("the price of %s:%s is not known: %s", listed_as, model, type(error).__name__)
        return None


def amount_of(found: Found, usage: Usage) -> int | None:
    """Return what tokens cost now in millionths of a dollar; None where the list cannot tell."""
    from genai_prices import Usage as Counted

    read = usage.input_tokens or 0
    cached = min(usage.cache_read_tokens or 0, read)
    counted = Counted(
        input_tokens=read,
        cache_read_tokens=cached or None,
        cache_write_tokens=min(usage.cache_write_tokens or 0, read - cached) or None,
        output_tokens=usage.output_tokens,
    )
    provider, model = found
    try:
        price = model.calc_price(counted, provider, genai_request_timestamp=datetime.now(UTC))
    except Exception as error:  # noqa: BLE001 - a reply does not fail for its price
        log.warning("the price of %s is not known: %s", model.id, type(error).__name__)
        return None
    # Up: what is paid for is not shown as free.
    return int((price.total_price * MILLION).to_integral_value(ROUND_CEILING))
