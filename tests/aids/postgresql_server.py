"""A real PostgreSQL of the tests' own: it restarts, dies and falls silent on demand."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.aids.ports import free_port

#: Who the stores are: no superuser, for whom no limit and no read-only database holds.
USER = "chats"
#: The database that most tests share, one after another.
DATABASE = "chats"
#: So long a server may take to start or to end; it never decides whether a test is right.
PATIENCE = 30.0
#: What makes it quick: a power cut may cost it everything.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "16MB",
    "listen_addresses": "127.0.0.1",
}
_ACCESS = """\
local all all trust
host all stranger 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_EMPTY = """\
DO $$
DECLARE
  tables text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SELECT string_agg(quote_ident(tablename), ', ') INTO tables FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version';
  IF tables IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || tables || ' RESTART IDENTITY';
  END IF;
END $$"""


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed, or None.

    Debian leaves them out of the PATH.
    """
    found = [each.parent for each in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class PostgresqlServer:
    """A PostgreSQL server in a folder of its own, with `DATABASE` in it.

    It refuses to run as root, and is then another user's.

    :param binaries: the folder of its programs.
    :ivar port: where it listens, on 127.0.0.1 alone.
    :ivar folder: its data, and its socket.
    """

    def __init__(self, binaries: Path) -> None:
        # Not in pytest's own folder, which nobody else may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = 0
        self._binaries = binaries
        self._user = _other_user() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(self.folder, self._user, _group_of(self._user))

    def create(self) -> None:
        """Make its data, start it and make `DATABASE`."""
        subprocess.run(
            [
                self._binaries / "initdb",
                "--no-sync",
                "--no-instructions",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                f"--pgdata={self.folder / 'data'}",
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **self._as_user(),
        )
        (self.folder / "data" / "pg_hba.conf").write_text(_ACCESS)
        self.start()
        self.sql(f"CREATE ROLE {USER} LOGIN", database="postgres")
        self.new_database(DATABASE)

    def start(self) -> None:
        """Start it and wait until it answers; at the same port as before."""
        # Another may take a port that was free.
        for tries_left in (2, 1, 0) if not self.port else (0,):
            port = self.port or free_port()
            if self._start(port):
                self.port = port
                return
            if not tries_left:
                log = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL does not start: {log[-2000:]}")

    def _start(self, port: int) -> bool:
        settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(self.folder)}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binaries / "postgres",
                    *("-D", self.folder / "data"),
                    *(part for each in settings.items() for part in ("-c", "=".join(each))),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as_user(),
            )
        noted = self.folder / "data" / "postmaster.pid"
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError):
                lines = noted.read_text().splitlines()
                if lines[:1] == [str(self._process.pid)] and lines[-1].strip() == "ready":
                    return True
            time.sleep(0.005)
        self.kill()
        return False

    def stop(self) -> None:
        """End it in order, whoever is connected."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)

    def restart(self) -> None:
        """End it in order, and start it again."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End it and all that it started with SIGKILL, as a power cut does."""
        process, self._process = self._process, None
        if process is not None:
            # Halted first: it starts others all the time.
            process.send_signal(signal.SIGSTOP)
            its = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait(PATIENCE)
            for each in its:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            # Another server does not start beside them.
            psutil.wait_procs(its, PATIENCE)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Halt it and all that it started: it takes connections, and answers nothing."""
        assert self._process is not None
        self._signal(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = DATABASE, user: str = USER) -> str:
        """Return the URL of a database, as people write it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str | None = None) -> str:
        """Make a database in which there is nothing at all, and return its name."""
        name = name or f"bare_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name} OWNER {USER}", database="postgres")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.sql(f"DROP DATABASE {name} WITH (FORCE)", database="postgres")

    def empty(self) -> None:
        """Have no rows in the tables of `DATABASE`, and nobody connected; the tables stay."""
        self.sql(_EMPTY)

    def use_tls(self, certificate: Path | None, key: Path | None) -> None:
        """Offer TLS to whoever connects from now on, or do not."""
        for name, given in (("server.crt", certificate), ("server.key", key)):
            if given is not None:
                place = self.folder / "data" / name
                shutil.copy(given, place)
                place.chmod(0o600)
                if self._user is not None:
                    shutil.chown(place, self._user, _group_of(self._user))
        self.sql(f"ALTER SYSTEM SET ssl = {'on' if certificate else 'off'}")
        self.sql("SELECT pg_reload_conf()")
        wanted = "on" if certificate else "off"
        while self.sql("SHOW ssl") != wanted:
            time.sleep(0.01)

    def sql(self, statements: str, *, database: str = DATABASE, user: str = "postgres") -> str:
        """Have SQL done, and return its rows as psql prints them bare. Blocks."""
        done = subprocess.run(
            [
                self._binaries / "psql",
                *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *("-h", self.folder, "-p", str(self.port), "-U", user, "-d", database),
                *("-c", statements),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": _group_of(self._user), "extra_groups": []}

    def _signal(self, pid: int, what: signal.Signals) -> None:
        """Send a signal to the server, and to what it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            server = psutil.Process(pid)
            # First of all itself: it would start others in their place.
            server.send_signal(what)
            for each in server.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.send_signal(what)


def _other_user() -> str:
    import pwd

    known = {each.pw_name for each in pwd.getpwall()}
    return next(each for each in ("postgres", "nobody") if each in known)


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
