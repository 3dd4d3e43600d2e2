"""The api's settings for a `roomlog chores` that delivers webhooks to a receiver on loopback."""

from roomlog_api.settings import *  # noqa: F403
from roomlog_api.settings import ROOMLOG as STANDALONE

ROOMLOG = {**STANDALONE, "WEBHOOKS": "private"}
