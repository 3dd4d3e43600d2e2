"""The stand-alone project's settings, with an app that is told at once what the absent miss."""

from roomlog_api.settings import *  # noqa: F403
from roomlog_api.settings import INSTALLED_APPS as STANDALONE_APPS
from roomlog_api.settings import ROOMLOG as STANDALONE

INSTALLED_APPS = [*STANDALONE_APPS, "tests.processes.stack.told"]
ROOMLOG = {**STANDALONE, "AWAY_SECONDS": 0}
