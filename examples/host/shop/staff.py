"""The shop's own admin site, in which Roomlog's pages appear too."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class StaffSite(AdminSite):
    """What the shop's staff see."""

    site_header = site_title = "Shop"
    index_title = "Staff"


class StaffAdminConfig(AdminConfig):
    """Django's admin with this site as its default."""

    default_site = "shop.staff.StaffSite"
