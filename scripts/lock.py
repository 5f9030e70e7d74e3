"""Print the versions that are installed, as constraints for pip."""

from __future__ import annotations

import importlib.metadata

print(
    "# The versions that the tests pass with. Made by `make lock`; people who install from a "
    "wheel are not bound by it."
)
found = {
    each.metadata["Name"]: each.version
    for each in importlib.metadata.distributions()
    if each.metadata["Name"] not in {"jupyter-stop-chat", "pip", "setuptools"}
}
for name in sorted(found, key=str.lower):
    print(f"{name}=={found[name]}")
