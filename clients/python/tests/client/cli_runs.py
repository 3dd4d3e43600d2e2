"""Runs a command of the command line inside a test."""

import asyncio

from typer.testing import CliRunner, Result

from roomlog_client.cli.commands import app
from roomlog_client.testing import FakeServer


async def roomlog(
    *words: str, server: FakeServer | None = None, user: str = "alice", stdin: str = ""
) -> Result:
    """Run a command in a thread of its own."""
    environ = {} if server is None else {"ROOMLOG_URL": server.url, "ROOMLOG_TOKEN": user}
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words, input=stdin, env=environ))
