"""Orders in the staff's pages."""

from django.contrib import admin

from .models import Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Orders, with their customers and the staff who serve them."""

    list_display = ["item", "customer", "state", "made_at"]
    list_filter = ["state"]
    filter_horizontal = ["staff"]
