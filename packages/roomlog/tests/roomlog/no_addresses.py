"""Addresses of a project without Roomlog's."""

urlpatterns: list[object] = []
