"""Where given keys are kept over a restart: the system's keychain, else a file of the owner's.

The file always says which keys there are. A key itself is in it only where the machine has no
keychain; it is readable by the server's user alone either way. All of this blocks: call it in a
thread.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from jupyter_stop_chat.settings.private_file import alone, stamp_of, write_anew

log = logging.getLogger(__name__)

_VERSION = 1
#: A keychain that asks somebody for a password, where nobody sits, is waited for so long.
PATIENCE_S = 10.0

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """What was given for a provider; it has no print-out."""

    key: str | None = None
    base_url: str | None = None
    in_keychain: bool = False

    @property
    def locked(self) -> bool:
        """Tell whether the key is in a keychain that does not give it now."""
        return self.in_keychain and self.key is None


class Keychain(Protocol):
    """The part of a `keyring` backend that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete a password."""


class KeyFile:
    """What reads and changes what was given.

    :param path: of the file.
    :param find_keychain: returns the system's keychain, or None; called once, at the first use.
    """

    def __init__(
        self, path: Path, find_keychain: Callable[[], Keychain | None] | None = None
    ) -> None:
        self._path = path
        self._find_keychain = find_keychain or real_keychain
        self._keychain: Keychain | None = None
        self._looked = False
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        # Two servers with two data folders must not overwrite each other's.
        self._service = f"jupyter-stop-chat {path.parent}"

    def stamp(self) -> object:
        """Return what changes with the file."""
        return stamp_of(self._path)

    def read(self) -> dict[tuple[str, str], Entry]:
        """Return all that was given, by owner and provider.

        A file that cannot be read counts as empty: a key can be given again.
        """
        with self._lock:
            return self._read(self._from_keychain)

    def read_names(self) -> dict[tuple[str, str], Entry]:
        """Return the same without asking a keychain: what is in one counts as locked."""
        return self._read(lambda owner, provider: None)

    def change(
        self, owner: str, provider: str, entry: Entry | None
    ) -> dict[tuple[str, str], Entry]:
        """Keep what was given, or forget it (None); return all that is kept now.

        :raises OSError: it cannot be written, or not be read now though it may be whole.
        """
        with self._lock, alone(self._path):
            entries = self._read(self._from_keychain, self._whole())
            before = entries.pop((owner, provider), None)
            if entry is None and before is None:
                return entries
            in_keychain = self._to_keychain(owner, provider, entry)
            if entry is not None:
                entries[owner, provider] = replace(entry, in_keychain=in_keychain)
            self._write(entries)
        return entries

    # --- the keychain ------------------------------------------------------------------------

    def _to_keychain(self, owner: str, provider: str, entry: Entry | None) -> bool:
        """Put a key into the keychain, or take it out; tell whether it is in it."""
        keychain = self._chain()
        if keychain is None:
            return False
        name = f"{owner}/{provider}"
        if entry is None or entry.key is None:
            with suppress(Exception):  # it may never have been in it
                self._within(lambda: keychain.delete_password(self._service, name))
            return False
        key = entry.key
        try:
            self._within(lambda: keychain.set_password(self._service, name, key))
            return self._within(lambda: keychain.get_password(self._service, name)) == key
        except Exception as error:  # noqa: BLE001 - a keychain raises anything; the file does it
            log.info("the system's keychain took no key: %s", type(error).__name__)
            return False

    def _from_keychain(self, owner: str, provider: str) -> str | None:
        keychain = self._chain()
        if keychain is None:
            return None
        try:
            return self._within(
                lambda: keychain.get_password(self._service, f"{owner}/{provider}")
            )
        except Exception as error:  # noqa: BLE001 - without its key a provider lacks one
            log.warning("the system's keychain gave no key: %s", type(error).__name__)
            return None

    def _chain(self) -> Keychain | None:
        if not self._looked:
            self._looked = True
            try:
                self._keychain = self._within(self._find_keychain)
            except Exception as error:  # noqa: BLE001 - no keychain is a plain case
                self._looked = False  # it may be there later
                log.info("there is no keychain: %s", type(error).__name__)
        return self._keychain

    def _within(self, call: Callable[[], _T]) -> _T:
        """Call a keychain, for a limited time: one that asks somebody may never answer.

        While it has not answered, nobody waits for it a second time.

        :raises TimeoutError: it did not answer.
        """
        if self._asking is not None and self._asking.is_alive():
            raise TimeoutError
        outcome: list[_T] = []
        failure: list[BaseException] = []

        def run() -> None:
            try:
                outcome.append(call())
            except BaseException as error:  # noqa: BLE001 - raised for the caller below
                failure.append(error)

        self._asking = threading.Thread(target=run, name="stop-chat-keychain", daemon=True)
        self._asking.start()
        self._asking.join(PATIENCE_S)
        if failure:
            raise failure[0]
        if not outcome:
            raise TimeoutError
        return outcome[0]

    # --- the file ----------------------------------------------------------------------------

    def _read(
        self, look_up: Callable[[str, str], str | None], lines: list[dict[str, Any]] | None = None
    ) -> dict[tuple[str, str], Entry]:
        entries: dict[tuple[str, str], Entry] = {}
        for each in self._lines() if lines is None else lines:
            owner, provider = each.get("owner"), each.get("provider")
            key, base_url = each.get("key"), each.get("base_url")
            if not isinstance(owner, str) or not isinstance(provider, str):
                continue
            in_keychain = each.get("in_keychain") is True
            if in_keychain:
                key = look_up(owner, provider)
            entries[owner, provider] = Entry(
                key if isinstance(key, str) else None,
                base_url if isinstance(base_url, str) else None,
                in_keychain,
            )
        return entries

    def _lines(self) -> list[dict[str, Any]]:
        try:
            return self._whole()
        except OSError as error:
            log.warning("the file of given keys cannot be read: %s", type(error).__name__)
            return []

    def _whole(self) -> list[dict[str, Any]]:
        """Read what is in the file; what is damaged counts as nothing.

        :raises OSError: it cannot be read, though it may be whole.
        """
        try:
            held = json.loads(self._path.read_bytes())
            lines = held["keys"] if held["version"] == _VERSION else []
            return [each for each in lines if isinstance(each, dict)]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("the file of given keys cannot be read: %s", type(error).__name__)
            return []

    def _write(self, entries: dict[tuple[str, str], Entry]) -> None:
        lines = []
        for (owner, provider), entry in sorted(entries.items()):
            line: dict[str, Any] = {"owner": owner, "provider": provider}
            if entry.base_url is not None:
                line["base_url"] = entry.base_url
            if entry.in_keychain:
                line["in_keychain"] = True
            elif entry.key is not None:
                line["key"] = entry.key
            lines.append(line)
        write_anew(self._path, {"version": _VERSION, "keys": lines})


def real_keychain() -> Keychain | None:
    """Return the system's keychain; None where keys would be kept in the open, or not at all."""
    import keyring

    chosen: Any = keyring.get_keyring()
    for backend in getattr(chosen, "backends", None) or [chosen]:
        module = type(backend).__module__
        in_the_open = module.startswith("keyrings.alt") or module.rpartition(".")[2] in {
            "fail",
            "null",
        }
        if not in_the_open and backend.priority >= 1:
            return backend  # type: ignore[no-any-return]
    return None
