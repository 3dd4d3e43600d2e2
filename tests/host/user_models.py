"""Five user models that projects have: Django's own, derived from it, and three without a `username`."""

from typing import Final

_HEAD: Final = """
from uuid import uuid4
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser, PermissionsMixin
from django.db import models

class Accounts(BaseUserManager):
    pass

"""
ADMIN: Final = """
from django.contrib import admin
from django.contrib.auth import get_user_model

admin.site.register(get_user_model())
"""
MODELS: Final = {
    "django": "",
    "derived": f"""{_HEAD}
class Company(models.Model):
    pass

class Account(AbstractUser):
    department = models.CharField(max_length=50, blank=True)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, null=True)
""",
    "email": f"""{_HEAD}
class Account(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD = EMAIL_FIELD = "email"
    objects = Accounts()
""",
    "uuid": f"""{_HEAD}
class Account(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid4)
    telephone = models.CharField(max_length=200, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD = "telephone"
    objects = Accounts()
""",
    "text": f"""{_HEAD}
class Account(AbstractBaseUser):
    login = models.CharField(max_length=200, primary_key=True)
    is_staff = models.BooleanField(default=False)
    USERNAME_FIELD = "login"
    objects = Accounts()

    def has_perm(self, perm, obj=None):
        return self.is_staff

    def has_module_perms(self, label):
        return self.is_staff
""",
}
"""The last has no permissions and nobody whom it could deactivate."""
