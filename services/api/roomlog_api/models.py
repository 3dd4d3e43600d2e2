"""The stand-alone project's own model: a token as its admin shows it. It has no table."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import TokenProxy


class AccessToken(TokenProxy):
    """A user's token, named by its user: the admin writes `str()` of what it touches into its log."""

    class Meta:
        proxy = True
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return f"token of {self.user}"
