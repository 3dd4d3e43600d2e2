"""The shop's addresses. Roomlog's are below /chat/."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from shop.orders import views

urlpatterns = [
    path("", views.OrdersView.as_view(), name="orders"),
    path("orders/<uuid:pk>/", views.OrderView.as_view(), name="order"),
    path("orders/<uuid:pk>/pay/", views.PayView.as_view(), name="pay"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("staff/", admin.site.urls),
    path("api/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token-refresh"),
    path("api/orders/", views.OrdersApi.as_view(), name="orders-api"),
    path("chat/", include("roomlog.urls")),
]
