"""Accounts: people sign in by e-mail, and their keys are UUIDs."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def create_user(self, email: str, name: str, password: str | None = None, **fields: Any) -> "Account":
        """Return a new account."""
        account = self.model(email=self.normalize_email(email), name=name, **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, email: str, name: str, password: str | None = None) -> "Account":
        """Return a new account that may do everything."""
        return self.create_user(email, name, password, is_staff=True, is_superuser=True)


class Account(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    """What others see; the e-mail is nobody else's business."""
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = AccountManager()

    def __str__(self) -> str:
        return self.name
