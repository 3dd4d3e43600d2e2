"""All addresses of the app, to be included by a project: `path("chat/", include("roomlog.urls"))`."""

from typing import Final

from django.urls import include, path

from .pages import ChatLoginView, ChatLogoutView, ChatView

app_name: Final = "roomlog"
urlpatterns: Final = [
    path("", ChatView.as_view(), name="chat"),
    path("login/", ChatLoginView.as_view(), name="login"),
    path("logout/", ChatLogoutView.as_view(), name="logout"),
    path("api/v1/", include("roomlog.rest.urls")),
]
