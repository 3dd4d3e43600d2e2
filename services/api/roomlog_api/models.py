"""The api's own tables: tries to log in, and a face of DRF's token that does not show its key."""

from django.db import models
from rest_framework.authtoken.models import TokenProxy


class AccessToken(TokenProxy):
    """A user's token, named by its user: the admin writes `str()` of what it touches into its log."""

    class Meta:
        proxy = True
        verbose_name = "token"

    def __str__(self) -> str:
        return f"token of {self.user}"


class LoginTry(models.Model):
    """One try of a name and a password. All processes count the same rows."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=64)
    """Keyed digest: people type passwords into this field too."""
    address = models.CharField(max_length=64)
    """Keyed digest of the IPv4 address or of the IPv6 network."""
    has_succeeded = models.BooleanField(default=False)
    tried_at = models.DateTimeField()
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "address", "tried_at"], name="tries_by_name"),
            models.Index(fields=["address", "tried_at"], name="tries_by_address"),
        ]

    def __str__(self) -> str:
        return f"try at {self.tried_at:%Y-%m-%d %H:%M:%S}"
