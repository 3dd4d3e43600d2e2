"""Every form of ROOMLOG_DATABASE_URL against a real server, by what workers and api connect with."""
# ruff: noqa: E402 - backends can be made only once Django knows its settings

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import psycopg
import pytest
from psycopg import sql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from django.db.utils import ConnectionHandler, OperationalError

from roomlog.databases import database
from roomlog_local.ports import free_port
from tests.harness.postgres import PostgresServer, running_postgres, server_user
from tests.processes.configuration.servers import PASSWORD, USER, has_ipv6, make_certificates

NAME = "chat 100% ü"
HBA = f"""
local   all roomlog     trust
host    all roomlog all trust
local   all "{USER}"     scram-sha-256
host    all "{USER}" all scram-sha-256
"""
FORMS = {
    "user and password": "{login}@127.0.0.1:{port}/{name}",
    "a name": "{login}@localhost:{port}/{name}",
    "IPv6": "{login}@[::1]:{port}/{name}",
    "a socket's folder as host": "{login}@{folder}:{port}/{name}",
    "a socket's folder as option": "{login}@/{name}?host={folder}&port={port}",
    "several hosts, one of them dead": "{login}@127.0.0.1:{dead},127.0.0.1:{port}/{name}",
    "several hosts, a writable one": (
        "{login}@127.0.0.1:{dead},127.0.0.1:{port}/{name}?target_session_attrs=primary"
    ),
    "no TLS": "{login}@127.0.0.1:{port}/{name}?sslmode=disable",
    "TLS": "{login}@127.0.0.1:{port}/{name}?sslmode=require",
    "TLS of an authority": "{login}@[::1]:{port}/{name}?sslmode=verify-ca&sslrootcert={folder}/ca.crt",
    "TLS of a host": "{login}@localhost:{port}/{name}?sslmode=verify-full&sslrootcert={folder}/ca.crt",
    "a schema": "{login}@127.0.0.1:{port}/{name}?currentSchema=%22my%20chat%22",
    "options": "{login}@127.0.0.1:{port}/{name}?options=-c%20search_path%3Dpublic",
}
REFUSED = {
    "a wrong password": ("{user}:wrong@127.0.0.1:{port}/{name}", "password authentication failed"),
    "another host than in the certificate": (
        "{login}@[::1]:{port}/{name}?sslmode=verify-full&sslrootcert={folder}/ca.crt",
        "does not match host name",
    ),
    "a host that only reads": (
        "{login}@127.0.0.1:{port}/{name}?target_session_attrs=standby",
        "not in hot standby mode",
    ),
}


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, Any]]:
    """What the forms are filled with, of a server that runs meanwhile."""
    # Not pytest's folder: the server's user must reach it.
    with tempfile.TemporaryDirectory(prefix="roomlog-forms-") as name:
        folder = Path(name)
        make_certificates(folder)
        if user := server_user():
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        (folder / "server.key").chmod(0o600)
        tls = {"ssl": "on", "ssl_cert_file": f"{folder}/server.crt", "ssl_key_file": f"{folder}/server.key"}
        hosts = "127.0.0.1,::1" if has_ipv6() else "127.0.0.1"
        with running_postgres(
            durable=False, listen_addresses=hosts, unix_socket_directories=name, **tls
        ) as server:
            _prepare(server)
            yield {
                "login": f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}",
                "user": quote(USER, safe=""),
                "name": quote(NAME, safe=""),
                "port": server.port,
                "dead": free_port(),
                "folder": quote(name, safe=""),
            }


def _prepare(server: PostgresServer) -> None:
    """Make a user who needs a password, and a database of theirs with a schema beside `public`."""
    (server.data / "pg_hba.conf").write_text(HBA)
    role, name = sql.Identifier(USER), sql.Identifier(NAME)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
        connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(host="127.0.0.1", port=server.port, user="roomlog", dbname=NAME) as connection:
        connection.execute(sql.SQL('CREATE SCHEMA "my chat" AUTHORIZATION {}').format(role))


def ask(form: str, places: dict[str, Any], *, writer: bool) -> tuple[Any, ...]:
    """Return user, database, whether TLS is used, and the schema, as the server sees them."""
    url = "postgres://" + form.format_map(places)
    handler = ConnectionHandler({"default": database(url, writer=writer)})
    try:
        with handler["default"].cursor() as cursor:
            cursor.execute(
                "SELECT session_user, current_database(), ssl, current_schema()"
                " FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            )
            found: tuple[Any, ...] = cursor.fetchone()
            return found
    finally:
        handler.close_all()


@pytest.mark.parametrize("writer", [True, False], ids=["worker", "api"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_leads_to_the_database(places: dict[str, Any], form: str, writer: bool) -> None:
    """As the user that it names, with the TLS and the schema that it asks for."""
    if "[::1]" in FORMS[form] and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    by_tls = "socket" not in form and form != "no TLS"
    schema = "my chat" if form == "a schema" else "public"
    assert ask(FORMS[form], places, writer=writer) == (USER, NAME, by_tls, schema)


@pytest.mark.parametrize("form", REFUSED)
def test_what_the_server_is_not_is_refused(places: dict[str, Any], form: str) -> None:
    """The password counts, and so do the name in a certificate and what a session may do."""
    address, reason = REFUSED[form]
    if "[::1]" in address and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with pytest.raises(OperationalError, match=reason):
        ask(address, places, writer=True)
