"""Collect garbage less often in the processes that tests start: see `servers_start_soon`.

A tenth of what their imports compute was that, as in the tests' own process.
"""

import gc

gc.set_threshold(20_000, 50, 100)
