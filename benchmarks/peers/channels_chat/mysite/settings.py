"""Settings of the Channels peer: what its tutorial asks for, and three courtesies without which it would break.

CONN_MAX_AGE: Channels closes old connections around every event, so Django's default of 0 would open a PostgreSQL
connection for every message. Two options of redis-py, whose defaults (5 s socket timeout, 100 connections) would cut
the layer's blocking reads of 5 s and refuse more than a hundred things at once.
"""

import os
from urllib.parse import urlsplit

_database = urlsplit(os.environ["PEER_DATABASE_URL"])

SECRET_KEY = "the benchmark's peer keeps no secrets"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["daphne", "chat"]
ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username,
        "PASSWORD": _database.password or "",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "CONN_MAX_AGE": 600,
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [
                {"address": os.environ["PEER_REDIS_URL"], "max_connections": 5_000, "socket_timeout": None}
            ]
        },
    }
}
