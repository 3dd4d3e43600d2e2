"""The description of the interface (OpenAPI 3), for whoever writes a client."""

from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
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


class SessionsScheme(SessionScheme):  # type: ignore[no-untyped-call] # how it registers
    """How the description calls the project's sessions."""

    target_class = "roomlog.rest.view.Sessions"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # how it registers
    """How it calls tokens that a function of the project's knows."""

    target_class = "roomlog.authenticators.BearerTokens"
    name = "bearerAuth"
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme of `Authorization`."""
        return {"type": "http", "scheme": "bearer"}


class OwnEndpoints(EndpointEnumerator):
    """The views of this interface, of all that the project has: the description is public."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        """Tell whether the view is ours."""
        is_ours = issubclass(getattr(callback, "cls", object), RestView)
        return is_ours and super().should_include_endpoint(path, callback)


class OwnGenerator(SchemaGenerator):
    """Describes what `OwnEndpoints` finds."""

    endpoint_inspector_cls = OwnEndpoints


class SchemaView(RestView, SpectacularAPIView):
    """What every view takes and gives; public, as this code is."""

    permission_classes = [AllowAny]
    renderer_classes = [OpenApiYamlRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiJsonRenderer2]
    generator_class = OwnGenerator
    schema = None  # type: ignore[assignment] # as drf-spectacular itself leaves views out

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the description in English, whatever `lang` says."""
        response: Response = self._get_schema_response(request)  # type: ignore[no-untyped-call]
        return response
