"""Django's settings for the api, from the environment alone; also those of `migrate`.

Before the message's way. Secure unless told otherwise; it must not know anything that differs between a
laptop and a cluster but by a ROOMLOG_ variable.
"""

from csp.constants import NONE, SELF
from django.conf import global_settings
from django.templatetags.static import static

from roomlog.databases import REPLICA, database, with_replica
from roomlog.file_settings import storages_of_environment, types_of_environment
from roomlog.partitions import MOST_PARTITIONS
from roomlog_api.addresses import read_hosts, read_origins, read_path_prefix, read_socket_url
from roomlog_contract.keyspace import DEFAULT_PREFIX
from roomlog_contract.shards import SHARD_NUMBERS
from roomlog_runtime.redis_address import read_redis_url
from roomlog_runtime.redis_prefix import read_redis_prefix
from roomlog_runtime.settings import (
    end_with_a_sentence,
    read_choice,
    read_flag,
    read_integer,
    read_secret,
    read_secrets,
)
from roomlog_runtime.shards_setting import read_shards

end_with_a_sentence()

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
MIB = 1024 * 1024
YEAR_SECONDS = 365 * 24 * 3600

SECRET_KEY = read_secret("ROOMLOG_SECRET_KEY")
SECRET_KEY_FALLBACKS = read_secrets("ROOMLOG_SECRET_KEY_FALLBACKS")
DEBUG = read_flag("ROOMLOG_DEBUG")
ALLOWED_HOSTS = read_hosts("ROOMLOG_ALLOWED_HOSTS", ("localhost", "127.0.0.1"))
CSRF_TRUSTED_ORIGINS = read_origins("ROOMLOG_CSRF_TRUSTED_ORIGINS")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
"""Of all pages but the admin's; `csp.py` adds the gateway's address."""
DEFAULT_EXCEPTION_REPORTER_FILTER = "roomlog_api.debug_pages.SettingsFilter"
REPLICA_URL = read_secret("ROOMLOG_REPLICA_URL", "")
DATABASES = with_replica(database(read_secret("ROOMLOG_DATABASE_URL")), REPLICA_URL)

PATH_PREFIX = read_path_prefix("ROOMLOG_PATH_PREFIX")
"""Where a proxy has put all this, as in /chat; empty at the root of its host."""
FORCE_SCRIPT_NAME = PATH_PREFIX or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{PATH_PREFIX}/"

PROXIES = read_integer("ROOMLOG_PROXIES", 0, maximum=10)
"""Trusted proxies in front: so many of X-Forwarded-For's last addresses, and X-Forwarded-Proto, are true."""
ROOMLOG = {
    "REDIS_URL": read_redis_url(),
    "REDIS_PREFIX": read_redis_prefix(DEFAULT_PREFIX),
    "SHARDS": read_shards(SHARD_NUMBERS),
    "WEBSOCKET_URL": read_socket_url("ROOMLOG_WEBSOCKET_URL"),
    "FIND_PEOPLE": read_choice("ROOMLOG_FIND_PEOPLE", ("all", "shared_rooms", "nobody"), "shared_rooms"),
    "WEBHOOKS": read_choice("ROOMLOG_WEBHOOKS", ("off", "public", "private"), "off"),
    "PROXIES": PROXIES,
    "ATTACHMENT_BYTES": MIB * read_integer("ROOMLOG_ATTACHMENT_MIB", 10, minimum=1, maximum=25),
    "ATTACHMENT_BYTES_PER_DAY": MIB * read_integer("ROOMLOG_ATTACHMENT_MIB_PER_DAY", 200, minimum=1),
    "ATTACHMENT_TYPES": types_of_environment(),
    "ATTACHMENT_REDIRECT": read_flag("ROOMLOG_ATTACHMENT_REDIRECT"),
    "READ_REPLICA": REPLICA if REPLICA_URL else None,
    "PARTITIONS": read_integer("ROOMLOG_PARTITIONS", 0, maximum=MOST_PARTITIONS),
}
"""What the app is told; `roomlog/configuration.py` says what each means."""

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_prometheus",
    "roomlog",
    "roomlog_api",
]
MIDDLEWARE = [
    "roomlog_api.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "roomlog_api.csp.ContentSecurityPolicy",
    "roomlog_api.refusals.Refusals",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "roomlog.login.TooManyTriesPage",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "roomlog_api.urls"
WSGI_APPLICATION = "roomlog_api.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}
"""What throttles count, some 10 MB at most: with Django's 300 entries a few strangers made them forget."""
SILENCED_SYSTEM_CHECKS = ["roomlog.W007"]
"""Its workers run in a project of their own."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
"""Those that all texts are in; each person's browser chooses."""

# Whoever reaches only this machine's own names has no certificate; everybody else gets https cookies.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = read_flag(
    "ROOMLOG_SECURE_COOKIES", not set(ALLOWED_HOSTS) <= LOOPBACK_NAMES
)
SESSION_COOKIE_NAME = "roomlog_session"
CSRF_COOKIE_NAME = "roomlog_csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = read_integer("ROOMLOG_HSTS_SECONDS", 0, maximum=2 * YEAR_SECONDS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None

AUTHENTICATION_BACKENDS = ["roomlog.login.PacedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "roomlog:login"
LOGIN_REDIRECT_URL = "roomlog:chat"

STORAGES = global_settings.STORAGES | storages_of_environment()
"""With `roomlog`, where attachments are, if the environment says where."""
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
"""Served from where the packages lie: a read-only image needs no collectstatic."""

SPECTACULAR_SETTINGS = {
    "TITLE": "Roomlog",
    "DESCRIPTION": "Tokens, rooms and messages by HTTP. A write is answered 202; a worker carries it out.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
}
PROMETHEUS_METRIC_NAMESPACE = "roomlog_api"
UNFOLD = {
    "SITE_TITLE": "Roomlog",
    "SITE_URL": f"{PATH_PREFIX}/",
    "SITE_HEADER": "Roomlog",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("roomlog/icon.svg")}
    ],
}

# Called by django.setup as configure_logs("api"): gunicorn's processes and every command log alike.
LOGGING_CONFIG: str | None = "roomlog_runtime.logs.configure_logs"
LOGGING = "api"
