"""The Django app: wakes workers and tells open sockets what changed, from wherever a model is saved."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Connects the notices, so that admin, REST, shells and commands alike send them."""

    name = "roomlog_api"
    verbose_name = "Access"

    def ready(self) -> None:
        """Listen to the signals of the models."""
        from . import notices

        notices.connect()
