"""How many examples hypothesis tries: few at each run, which are the same.

With `--hypothesis-profile stress` they are many, and drawn anew.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

TIMES = {"ci": 1, "stress": 10}
#: A busy machine decides nothing.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


def register() -> None:
    """Make the profiles known, and choose the one for every run."""
    for name, times in TIMES.items():
        # Every run tries the same ones; new ones are drawn where there is time to look at them.
        settings.register_profile(
            name,
            max_examples=50 * times,
            derandomize=times == 1,
            **_PATIENT,  # type: ignore[arg-type]
        )
    settings.load_profile("ci")


def examples(count: int, stress: int | None = None) -> int:
    """Return how many examples stand for so many at each run.

    :param stress: how many they are with that profile, where each takes too long for every run.
    """
    times = TIMES.get(settings.get_current_profile_name(), 1)
    return stress if stress is not None and times > 1 else count * times
