"""Where everything is."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from roomlog.login import paced_password_change
from roomlog.pages import ChatView

urlpatterns = [
    path("", ChatView.as_view(), name="chat"),
    path(
        "login/",
        LoginView.as_view(template_name="roomlog/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("api/", include("roomlog.rest.urls")),
    path("admin/password_change/", paced_password_change(admin.site.admin_view(admin.site.password_change))),
    path("admin/", admin.site.urls),
]
handler500 = "roomlog_api.refusals.failed"
