"""The Django app."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from .databases import begin_session


class RoomlogConfig(AppConfig):
    """Registers the models under the label `roomlog`."""

    name = "roomlog"
    verbose_name = "Roomlog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, what each new session begins with, and what follows what is saved."""
        from . import checks, departures, notices, people  # noqa: F401 - importing registers the checks

        people.connect(self)
        departures.connect()
        notices.connect()
        connection_created.connect(begin_session, dispatch_uid="roomlog.begin_session")
