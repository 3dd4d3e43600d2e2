"""A gateway that asks for the heads every second: for tests of what the poll brings, not of how soon.

Beside the message's way. All else is the gateway's own. What the product's period of 20 s is good for, the
simulation shows in virtual time, and the restored backup on real processes.
"""

from dataclasses import replace
from typing import Final

from aiohttp import web

from roomlog_local.command import Command

PERIOD_SECONDS: Final = 1.0


def often_polling(gateway: Command) -> Command:
    """Return the command of the same gateway with this module's application."""
    return replace(gateway, arguments=(*gateway.arguments[:-1], f"{__name__}:create_app"))


async def create_app() -> web.AppRunner:
    """Return the gateway's runner; gunicorn calls it in the gateway's process, and only there."""
    from roomlog_gateway import app
    from roomlog_gateway.rooms import head_poll

    vars(head_poll)["PERIOD_SECONDS"] = PERIOD_SECONDS
    return await app.create_app()
