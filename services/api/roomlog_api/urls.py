"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from roomlog.login import paced_password_change
from roomlog.rest.access import TokenView
from roomlog_api.viewer import ViewerView

urlpatterns = [
    path("admin/password_change/", paced_password_change(admin.site.admin_view(admin.site.password_change))),
    path("admin/", admin.site.urls),
    path("api/v1/token/", TokenView.as_view()),
    path("api/docs/", ViewerView.as_view(), name="viewer"),
    path("", include("roomlog.urls")),
]
handler500 = "roomlog_api.refusals.failed"
