"""How a store gets into a PostgreSQL, or does not: passwords, TLS, poolers, an empty database."""

import asyncio
import logging
import subprocess

import pytest

from jupyter_stop_chat.store.degraded.reason import sqlstate_of
from tests.faults.store_case import DONE, a_chat, a_turn, case

__all__ = ["case"]


async def _talk(store):
    """Go through a turn, and return what is kept of it."""
    chat = a_chat()
    asked, reply = a_turn(chat)
    await store.begin_turn([asked, reply], chat)
    await asyncio.gather(*(store.append(reply.id, f"{n} ") for n in range(5)))
    settled = await store.settle(reply.id, DONE)
    assert settled.text == "0 1 2 3 4 "
    assert await store.get_messages(chat.id) == [asked, settled]
    return chat


@pytest.fixture
def server(postgresql_server):
    """Return a server with a role that needs a password."""
    postgresql_server.sql("CREATE ROLE stranger LOGIN PASSWORD 'canary-right'")
    yield postgresql_server
    postgresql_server.sql("DROP ROLE stranger")


@pytest.mark.parametrize(
    ("who", "where", "said"),
    [
        ("stranger:canary-wrong", "chats", 'password authentication failed for user "stranger"'),
        ("chats", "nowhere", 'database "nowhere" does not exist'),
    ],
)
async def test_whom_a_server_does_not_let_in(case, server, caplog, who, where, said):
    """H3: the log says why, without the password; the chat goes on."""
    with caplog.at_level(logging.INFO):
        case.url = server.url(where, who)
        store = await case.open()
        await _talk(store)
    assert case.told == [True]
    assert store.health()["reason"] == "refused"
    line = next(each for each in caplog.records if each.levelname == "ERROR")
    assert said in line.getMessage()
    assert "canary" not in caplog.text + str(store.health())


async def test_a_password_that_is_right(case, server, bare_postgresql):
    """H3."""
    name = bare_postgresql.rpartition("/")[2]
    server.sql(f"ALTER DATABASE {name} OWNER TO stranger")
    case.url = server.url(name, "stranger:canary-right")
    await _talk(await case.open())
    assert case.told == []
    await case.close()
    server.sql(f"ALTER DATABASE {name} OWNER TO postgres")
    server.sql("DROP OWNED BY stranger", database=name)


async def test_several_servers_begin_at_once_on_an_empty_database(case, bare_postgresql):
    """H3: one makes the tables, and the others wait for it."""
    case.url = bare_postgresql
    stores = await asyncio.gather(*(case.open(f"host:{n}:a") for n in range(4)))
    assert case.told == []
    chats = await asyncio.gather(*map(_talk, stores))
    for store in stores:
        assert len(await store.list_chats("me")) == len(chats)


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg", "postgresql"])
@pytest.mark.parametrize(
    "parameters", ["sslmode=disable&application_name=mine", "prepared_statement_cache_size=0"]
)
async def test_a_url_as_people_have_it(case, postgresql, driver, parameters, postgresql_server):
    """H3: whichever driver it names; a pooler gives each transaction another session."""
    case.url = f"{postgresql.replace('postgresql', driver)}?{parameters}"
    store = await case.open()
    await _talk(store)
    assert case.told == []
    names = postgresql_server.sql("SELECT DISTINCT application_name FROM pg_stat_activity")
    assert ("mine" if "=mine" in parameters else "jupyter-stop-chat") in names.split()


@pytest.fixture
def with_tls(postgresql_server, tmp_path):
    """Give the server a certificate for 127.0.0.1, and return that and another one."""
    certificates = []
    for name in ("server", "other"):
        made = tmp_path / name
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", f"{made}.key", "-out", f"{made}.crt"),
            ],
            check=True,
            capture_output=True,
        )
        certificates.append(made.with_suffix(".crt"))
    postgresql_server.use_tls(certificates[0], certificates[0].with_suffix(".key"))
    yield certificates
    postgresql_server.use_tls(None, None)


async def test_a_connection_with_tls(case, postgresql, postgresql_server, with_tls):
    """H3: as libpq says it; where its certificate is another one, the server is not believed."""
    own, other = (f"{postgresql}?sslmode=verify-full&sslrootcert={each}" for each in with_tls)
    case.url = own
    await _talk(await case.open())
    asked = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE "
    assert postgresql_server.sql(f"{asked} application_name = 'jupyter-stop-chat'") == "t"
    assert case.told == []
    store = await case.open("host:2:b", other)
    assert case.told == [True]
    assert store.health()["reason"] == "refused"


def test_an_error_without_a_code_has_none():
    assert sqlstate_of(ValueError()) == ""
