"""The stand-alone project's settings, with a function that is told at once what the absent miss."""

from roomlog_api.settings import *  # noqa: F403
from roomlog_api.settings import ROOMLOG as STANDALONE

ROOMLOG = {**STANDALONE, "AWAY": "tests.processes.stack.told.notify", "AWAY_SECONDS": 0}
