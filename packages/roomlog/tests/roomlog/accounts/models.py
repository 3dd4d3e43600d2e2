"""Users without a `username`, whose primary keys are no integers."""

from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UuidAccount(AbstractBaseUser):
    """A user named by a telephone number."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    telephone = models.CharField(max_length=200, unique=True)
    is_active = models.BooleanField(default=True)
    objects = BaseUserManager()

    USERNAME_FIELD = "telephone"

    class Meta:
        app_label = "accounts"

    def __str__(self) -> str:
        return self.telephone


class TextAccount(AbstractBaseUser):
    """A user whose key is a text, and who can't be deactivated."""

    email = models.CharField(max_length=200, primary_key=True)
    objects = BaseUserManager()

    USERNAME_FIELD = "email"

    class Meta:
        app_label = "accounts"

    def __str__(self) -> str:
        return self.email
