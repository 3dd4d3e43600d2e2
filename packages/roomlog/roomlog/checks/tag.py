"""The name by which `manage.py check --tag` and workers ask for the app's checks."""

from typing import Final

TAG: Final = "roomlog"
