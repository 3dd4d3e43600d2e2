"""The api's settings for a `roomlog chores` that delivers webhooks to a receiver on loopback."""

from roomlog_api.settings import *  # noqa: F403
from roomlog_api.settings import INSTALLED_APPS as STANDALONE_APPS
from roomlog_api.settings import ROOMLOG as STANDALONE

INSTALLED_APPS = [*STANDALONE_APPS, "tests.processes.stack.short_lease"]
ROOMLOG = {**STANDALONE, "WEBHOOKS": "private"}
