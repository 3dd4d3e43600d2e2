"""What a refused request is answered with."""

from typing import Any

from rest_framework.response import Response
from rest_framework.status import HTTP_400_BAD_REQUEST
from rest_framework.views import exception_handler

from roomlog_contract.errors import RefusedCommand


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the wire's code and sentence for a refused command; the rest is the framework's."""
    if isinstance(error, RefusedCommand):
        body = {"error_code": error.code.value, "error_message": error.message}
        return Response(body, status=HTTP_400_BAD_REQUEST)
    return exception_handler(error, context)
