"""The shop's pages, for people who are signed in, and its API, for programs with a token."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views import View
from django.views.generic import DetailView, ListView
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.serializers import ModelSerializer

from roomlog import rooms

from . import chat
from .models import NotNew, Order, pay


class OwnOrders(LoginRequiredMixin):
    """Only the orders that somebody bought or serves."""

    request: HttpRequest

    def get_queryset(self) -> QuerySet[Order]:
        """Return them."""
        return Order.of(self.request.user)


class OrdersView(OwnOrders, ListView):
    """One's orders, and how many messages about them are unread."""

    template_name = "orders/orders.html"
    context_object_name = "orders"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the unread messages of all rooms."""
        return super().get_context_data(unread=sum(rooms.unread(self.request.user).values()), **kwargs)


class OrderView(OwnOrders, DetailView):
    """One order with its chat."""

    template_name = "orders/order.html"
    context_object_name = "order"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the room."""
        return super().get_context_data(room=chat.room_of(self.object), **kwargs)


class PayView(OwnOrders, View):
    """The customer pays."""

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Pay, and go back to the order."""
        order = get_object_or_404(self.get_queryset().filter(customer=request.user), pk=pk)
        try:
            pay(order)
        except NotNew:
            messages.info(request, "This order was paid before.")
        return redirect("order", pk=pk)


class OrderSerializer(ModelSerializer):
    """An order as programs see it."""

    class Meta:
        """What they see."""

        model = Order
        fields = ["id", "item", "state", "made_at"]


class OrdersApi(ListAPIView):
    """One's orders, for programs."""

    permission_classes = [IsAuthenticated]
    serializer_class = OrderSerializer

    def get_queryset(self) -> QuerySet[Order]:
        """Return the orders of the token's account."""
        return Order.of(self.request.user)
