"""A long reply as a model writes one: words, lists, code, tables and mathematics by turns."""

from __future__ import annotations

#: A delta: so many characters, so many times a second.
PIECE = 25
PER_SECOND = 50

SECTION = """## Part {n}: reading a table of measurements

The measurements of **station {n}** arrive every minute, and each line holds *three* columns. What
follows reads them with [pandas](https://example.org/pandas), leaves out the `NaN` rows, and keeps
an average of the last ten. Nothing here is fast, but all of it is *plain*, and plain code can be
mended by whoever finds it a year later.

- first the header is read, and its names are made lower case;
- then the rows, of which there may be {n}00 or more:
  1. those that are whole,
  2. and those that were cut;
- at last the sums, with $\\sigma_{n} = \\sqrt{{\\frac{{1}}{{N}} \\sum_i (x_i - \\mu)^2}}$.

```python
import pandas as pd


def read(path: str, window: int = {n}) -> pd.DataFrame:
    \"\"\"Read one station's file and smooth it.\"\"\"
    frame = pd.read_csv(path, parse_dates=["time"]).dropna()
    frame.columns = [name.lower() for name in frame.columns]
    for name in ("temperature", "pressure"):
        frame[f"{{name}}_mean"] = frame[name].rolling(window).mean()
    return frame.set_index("time")
```

| station | rows | mean | what was found |
|---|---:|---:|---|
| {n} | {n}00 | 12.5 | nothing that stands out |
| {n}b | {n}50 | 13.1 | two gaps, both on a Sunday |

$$
\\int_0^{{{n}}} f(x)\\,dx = F({n}) - F(0)
$$

> Whoever reads this far may skip the next part: it says the same of another station.

"""


def text(length: int) -> str:
    """Return so many characters of it."""
    made = ""
    number = 1
    while len(made) < length:
        made += SECTION.format(n=number)
        number += 1
    return made[:length]


def pieces(whole: str) -> list[str]:
    """Return the deltas that it comes in."""
    return [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]


def reply(number: int, length: int = 2000) -> str:
    """Return a reply of about so many characters, whose last words are its own."""
    start = (number % 7) * 150
    return f"{text(length + start)[start:]}\n\n```\nx\n```\n\nEnd of reply {number}."
