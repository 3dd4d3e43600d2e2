"""Accounts in the staff's pages."""

from django.contrib import admin

from .models import Account


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """The accounts that can sign in; passwords are set by `manage.py changepassword`."""

    list_display = ["name", "email", "is_staff", "is_active"]
    search_fields = ["name", "email"]
    exclude = ["password", "last_login"]
