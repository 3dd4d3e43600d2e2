"""The OpenAPI description of the REST interface."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from roomlog.rest.fields import NO_NUL, SAID
from roomlog.rest.urls import urlpatterns
from roomlog_contract import limits

UNSAFE = {"post", "put", "patch", "delete"}


@cache
def description() -> dict[str, Any]:
    """Return what a client reads."""
    read: dict[str, Any] = json.loads(
        Client().get("/api/v1/schema/", headers={"accept": "application/json"}).content
    )
    return read


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.mark.django_db
def test_the_schema_is_complete_valid_and_served(capsys: pytest.CaptureFixture[str], client: Client) -> None:
    """Every path is described."""
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "/api/v1/rooms/{room}/messages/" in capsys.readouterr().out
    answer = client.get("/api/v1/schema/")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (
        200,
        "application/vnd.oai.openapi",
    )
    hidden = {"schema", "nothing-here"}
    assert len(description()["paths"]) == len([one for one in urlpatterns if one.name not in hidden]) + 1


@pytest.mark.django_db
def test_every_operation_names_its_errors() -> None:
    """As problems, with an example; paced ones say when to come again."""
    for path, method, operation in operations():
        case = f"{method} {path}"
        answers = operation["responses"]
        expected = {"400", "401", "406", "429", "503"}
        expected |= {"403"} if method in UNSAFE else set()
        expected |= {"404"} if "{" in path else set()
        expected |= {"411", "413", "415"} if "requestBody" in operation else set()
        assert expected <= set(answers), case
        for status in (one for one in answers if one >= "400"):
            content = answers[status]["content"]["application/problem+json"]
            assert content["example"]["status"] == int(status), case
            assert ("headers" in answers[status]) is (status in ("429", "503")), case


@pytest.mark.django_db
def test_every_write_of_a_room_takes_a_uuid() -> None:
    """A change says what it must have, and the patterns are the wire's own rules."""
    schemas = description()["components"]["schemas"]
    for path, method, operation in operations():
        if "202" in operation["responses"]:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = schemas[schema["$ref"].rpartition("/")[2]]
            assert body["properties"]["uuid"]["maxLength"] == limits.UUID_CODE_POINTS, f"{method} {path}"
            assert "409" in operation["responses"], f"{method} {path}"
    assert schemas["NewText"]["required"] == ["text"]
    assert not [name for name in schemas if name.startswith("Patched")]
    every = [chr(point) for point in range(0x3100) if not 0xD800 <= point <= 0xDFFF]
    assert [one for one in every if bool(re.search(SAID, one)) != bool(one.strip() and one != "\0")] == []
    assert [one for one in every if not re.search(NO_NUL, one)] == ["\0"]
