"""A host's own code beside a stack: programs that use Django's models, in one process that lives for a test.

Before the message's way, as whoever deletes an account in an admin of their own. Django starts once.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.stack import Stack, User

PROGRAM_SECONDS: Final = 60.0
HOST: Final = """
import contextlib, json, sys, django
django.setup()
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from rest_framework.authtoken.models import Token
for line in sys.stdin:
    person, program = json.loads(line)
    with contextlib.redirect_stdout(sys.stderr):
        exec(program, {**globals(), "user": User.objects.get(roomlog_person=person)})
    print("done", flush=True)
"""


class Host:
    """The asking half."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, user: User, program: str) -> None:
        """Carry out a program in which `person` is this person's number, and `user` the account."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([user.id, program]).encode() + b"\n")
        async with asyncio.timeout(PROGRAM_SECONDS):
            said = await self._process.stdout.readline()
        assert said == b"done\n", "standard error says why"


@asynccontextmanager
async def started_host(stack: Stack) -> AsyncIterator[Host]:
    """Give the host's process of a stack; it ends with its standard input."""
    environ = {**os.environ, **stack.environ, "DJANGO_SETTINGS_MODULE": "roomlog_api.settings"}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, env=environ, stdin=pipe, stdout=pipe
    )
    try:
        yield Host(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PROGRAM_SECONDS):
            await process.wait()
