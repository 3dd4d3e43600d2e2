"""Tier 1: the real gateway, worker and client in one process, on a seeded loop in virtual time.

Importing it makes Django ready: the worker's modules can be loaded only once the settings are known.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()
