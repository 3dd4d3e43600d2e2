"""The standalone api as a Django app: its tokens, and the commands of a first try."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    """Gives the admin's list a heading that people understand."""

    name = "roomlog_api"
    verbose_name = _("Access")
