"""Tier 1: the real gateway, worker and client in one process, on a seeded loop in virtual time.

Importing it makes Django ready, because the worker's modules need its settings. The environment stays as it
was: the other tiers hand it on to real processes.
"""

import os
from unittest.mock import patch

import django

with patch.dict(os.environ):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
    django.setup()
