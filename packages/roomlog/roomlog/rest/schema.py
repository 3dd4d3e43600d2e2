"""The description of the interface (OpenAPI 3), for whoever writes a client."""

from typing import Any

from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from .view import RestView


class SchemaView(RestView, SpectacularAPIView):
    """What every view takes and gives; public, as this code is."""

    permission_classes = [AllowAny]
    renderer_classes = [OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2]
    schema = None  # type: ignore[assignment] # as drf-spectacular itself leaves views out

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the description in English, whatever `lang` says."""
        response: Response = self._get_schema_response(request)  # type: ignore[no-untyped-call]
        return response
