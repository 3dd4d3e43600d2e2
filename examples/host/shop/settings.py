"""The shop's settings. What differs between a desk and a cluster comes from the environment.

The lines for Roomlog are those of docs/your-project.md: two apps and one dictionary. The defaults of DRF are
closed; the views of Roomlog have their own.
"""

import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).parent.parent

DEBUG = os.environ.get("SHOP_DEBUG", "1") == "1"
SECRET_KEY = os.environ.get(
    "SHOP_SECRET_KEY", "only-for-a-desk-never-for-customers-0123456789abcdef" if DEBUG else ""
)
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "localhost,127.0.0.1").split(",")
if not DEBUG:  # a proxy ends TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR}/shop.sqlite3", conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # One writer at a time: an order's transaction waits for its turn instead of failing on its first write.
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}

INSTALLED_APPS = [
    "shop.staff.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "shop.accounts",
    "shop.orders",
]
INSTALLED_APPS += ["roomlog", "roomlog_worker"]
ROOMLOG = {
    "REDIS_URL": os.environ.get("ROOMLOG_REDIS_URL", "redis://127.0.0.1:6379/0"),
    "REDIS_PREFIX": os.environ.get("ROOMLOG_REDIS_PREFIX", "shop"),
    # None: `ws` beside the chat page, or in development the gateway's own port.
    "WEBSOCKET_URL": os.environ.get("ROOMLOG_WEBSOCKET_URL"),
    "AUTHENTICATORS": ["simplejwt"],
    "PEOPLE": "shop.orders.chat.people",
}

EMAIL_BACKEND = f"django.core.mail.backends.{'console' if DEBUG else 'smtp'}.EmailBackend"
EMAIL_TIMEOUT = 10  # seconds: a receiver of `message_missed` that hangs holds up its room

AUTH_USER_MODEL = "accounts.Account"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "orders"
LOGOUT_REDIRECT_URL = "login"
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "shop" / "templates"],
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
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
