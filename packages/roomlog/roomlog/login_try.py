"""The table of tries to log in, which `login_tries` counts."""

from django.db import models


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
