"""Which consumer serves which WebSocket address."""

from django.urls import re_path

from . import consumers

websocket_urlpatterns = [re_path(r"^ws/(?P<room>\w+)$", consumers.ChatConsumer.as_asgi())]
