"""The Django app."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Registers the models under the label `roomlog_store`."""

    name = "roomlog_store"
    verbose_name = "Roomlog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: F401 - importing registers them
