"""No page: only the WebSocket of `chat.routing` is measured."""

urlpatterns: list[object] = []
