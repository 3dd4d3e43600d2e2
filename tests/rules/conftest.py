"""The rules read code of the app and the worker, which needs Django's settings."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()
