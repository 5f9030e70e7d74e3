"""The settings of what may be spent."""

from __future__ import annotations

from traitlets import HasTraits

from jupyter_stop_chat.ports.spending import Budget

from .kinds import Amount, Count


class SpendingSettings(HasTraits):
    """The settings of what an owner may use in a day, as a part of the extension's."""

    budget_per_day = Amount(
        0.0,
        zero=True,
        help="Dollars, by the providers' price lists, that an owner may spend in a day; then "
        "prompts are refused until midnight, UTC. Models without a price are free. 0: any amount.",
    ).tag(config=True)
    tokens_per_day = Count(
        0,
        min=0,
        help="Tokens, read and made, that an owner may use in a day, likewise. 0: any number.",
    ).tag(config=True)

    def budget(self) -> Budget:
        """Return what an owner may use in a day; it may change while the server runs."""
        return Budget.of(self.budget_per_day, self.tokens_per_day)
