"""The api's settings without a pace: its throttles forget what they counted.

No stage of the message's way. A fuzzer asks in seconds what people ask in hours.
"""

from roomlog_api.settings import *  # noqa: F403 - all but one

CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
