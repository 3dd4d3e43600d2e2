"""What the description (OpenAPI) says of each operation beyond what drf-spectacular finds in a view.

Beside the message's way: nothing here reads a request. It adds the errors that every operation can answer,
the bounds of the ids in paths, bodies of DELETE, and examples.
"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.serializers import BaseSerializer, ListSerializer

from roomlog.problems import MEDIA_TYPE, code_of
from roomlog_contract import limits

from .command_serializers import CommandSerializer
from .serializers import ProblemSerializer

Method = TypeVar("Method", bound=Callable[..., object])
JSON: Final = "application/json"
ROOM: Final = "[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""A room's id in a path, as a regular expression."""
SECRET: Final = "[0-9A-Za-z_-]{43}"  # noqa: S105 - none, but how they look
"""The secret of an incoming hook in a path, likewise."""
_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": limits.EXACT_INTEGER - 1}
_PATHS: Final[Mapping[str, tuple[str, dict[str, Any], Any]]] = {
    "room": (
        "The room's id: 32 hex digits, with or without dashes.",
        {"type": "string", "pattern": f"^(?:{ROOM})$"},
        "6f1c2f0e8a5d4b6c9e7f3a2b1c0d9e8f",
    ),
    "attachment": (
        "The file's id: 32 hex digits, with or without dashes.",
        {"type": "string", "pattern": f"^(?:{ROOM})$"},
        "5d0f6a0c9b1e4c0f8a57a3e6f2b4c1d8",
    ),
    "invitation": (
        "The invitation's id: 32 hex digits, with or without dashes.",
        {"type": "string", "pattern": f"^(?:{ROOM})$"},
        "5d0f6a0c9b1e4c0f8a57a3e6f2b4c1d8",
    ),
    "user": ("The person's id.", _NUMBER, 7),
    "message": ("The message's id.", _NUMBER, 1201),
    "hook": (
        "The hook's id: 32 hex digits, with or without dashes.",
        {"type": "string", "pattern": f"^(?:{ROOM})$"},
        "0d5cbb6e3f1f4d0b8a8e3c9f5e0b7a11",
    ),
    "secret": ("The hook's secret.", {"type": "string", "pattern": f"^{SECRET}$"}, "s" * 43),
    "uuid": (
        "The command's uuid.",
        {"type": "string", "minLength": 1, "maxLength": limits.UUID_CODE_POINTS},
        "2b9c6f7e-hello",
    ),
}
"""Description, schema and example of what stands in paths."""
_SENTENCES: Final[Mapping[int, str]] = {
    400: "A value is wrong or missing; `errors` names the fields.",
    401: "Not signed in, or the token, session, name or password is not valid.",
    403: "You may not do this; or a session's request came without its CSRF token.",
    404: "It does not exist, or you may not see it.",
    406: "`Accept` takes no JSON.",
    408: "The request was not complete within 10 s.",
    409: "The uuid was used for different content, or the room is archived.",
    411: "The body came without `Content-Length`.",
    413: "The body is larger than 64 KiB.",
    415: "The body is no JSON.",
    429: "Too many requests; `Retry-After` says when to come again.",
    431: "The head of the request is larger than 32 KiB.",
    503: "The database is away, or too many commands wait. Nothing was changed.",
}
_EVERYWHERE: Final = frozenset({400, 406, 408, 429, 431, 503})
"""401 too, whoever may ask: a token that is not valid is refused by every view."""
_OF_BODIES: Final = frozenset({411, 413, 415})
_PACED: Final = frozenset({429, 503})


class Operation(AutoSchema):
    """Describes one method of one view."""

    more_problems: frozenset[int] = frozenset()
    """Statuses of errors that only this operation has."""

    def get_operation(self, path: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with its errors, the bounds of its path and its examples."""
        operation: dict[str, Any] | None = super().get_operation(path, *args, **kwargs)
        if operation is None:
            return None
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                parameter["description"], parameter["schema"], parameter["example"] = _PATHS[
                    parameter["name"]
                ]
        if body := operation.get("requestBody"):
            _exemplify(body["content"], self.get_request_serializer())
        for status, answer in operation["responses"].items():
            answer["description"] = HTTPStatus(int(status)).phrase
            _exemplify(answer.get("content", {}), self.get_response_serializers())
        problem = self.resolve_serializer(ProblemSerializer, "response").ref
        for code in sorted(self._problems(operation)):
            operation["responses"][str(code)] = _answered(code, problem)
        return operation

    def _problems(self, operation: Mapping[str, Any]) -> Iterator[int]:
        """Yield the statuses of the errors that this operation answers."""
        yield from _EVERYWHERE | self.more_problems
        if not (self.method == "GET" and AllowAny in self.view.permission_classes):
            yield 401
        if self.method != "GET":
            yield 403
        if "{" in self.path:
            yield 404
        if "requestBody" in operation:
            yield from _OF_BODIES
        is_command = self.method != "GET" and isinstance(
            _serializer(self.get_request_serializer()), CommandSerializer
        )
        if is_command:
            yield from (404, 409)

    def _get_request_body(self, direction: str = "request") -> Any:
        """Return the body of every method that has one, all of its keys required that are.

        drf-spectacular knows none for DELETE, and takes each key of a PATCH as optional.
        """
        method, self.method = self.method, "POST"
        try:
            if method == "GET":
                return None
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method


def describe(*, problems: frozenset[int] = frozenset(), **facts: Any) -> Callable[[Method], Method]:
    """Return drf-spectacular's `extend_schema`, whatever the project's own schema class is.

    `problems` are the statuses of errors that only this operation has.
    """

    def decorate(method: Method) -> Method:
        own = type("OwnOperation", (Operation,), {"more_problems": problems})
        method.schema = own()  # type: ignore[attr-defined] # what extend_schema extends
        return extend_schema(**facts)(method)

    return decorate


def _answered(status: int, problem: Mapping[str, str]) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _SENTENCES[status],
        "error_code": code_of(status),
    }
    answer: dict[str, Any] = {
        "description": _SENTENCES[status],
        "content": {MEDIA_TYPE: {"schema": dict(problem), "example": example}},
    }
    if status in _PACED:
        wait = {"type": "integer", "minimum": 0}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "required": True, "schema": wait}}
    return answer


def _exemplify(content: Mapping[str, Any], described: Any) -> None:
    """Put the serializer's example beside its schema."""
    serializer = _serializer(described)
    example = getattr(serializer, "example", None)
    if example is not None and JSON in content:
        content[JSON]["example"] = [example] if isinstance(described, ListSerializer) else example


def _serializer(described: Any) -> BaseSerializer[Any] | None:
    """Return the serializer of what `describe` was told: of a list its items', of statuses the only one."""
    if isinstance(described, dict):
        described = next(iter(described.values()))
    if isinstance(described, ListSerializer):
        described = described.child
    found: BaseSerializer[Any] | None = described() if isinstance(described, type) else described
    return found
