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


def test_the_schema_is_complete_and_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Each view says what it takes and gives: the generator has nothing to guess and nothing to warn of."""
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "/api/v1/rooms/{room}/messages/" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_schema_is_served(client: Client) -> None:
    """Whoever writes a client finds it where the interface is."""
    answer = client.get("/api/v1/schema/")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (
        200,
        "application/vnd.oai.openapi",
    )


@pytest.mark.django_db
def test_every_path_is_described() -> None:
    """All but the description itself and the end of the list."""
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
    """Deletions too: a repeat is the same command."""
    schemas = description()["components"]["schemas"]
    for path, method, operation in operations():
        if "202" in operation["responses"]:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = schemas[schema["$ref"].rpartition("/")[2]]
            assert body["properties"]["uuid"]["maxLength"] == limits.UUID_CODE_POINTS, f"{method} {path}"
            assert "409" in operation["responses"], f"{method} {path}"


@pytest.mark.django_db
def test_a_change_says_what_it_must_have() -> None:
    """A PATCH without its one value is refused, so the description may not call it optional."""
    schemas = description()["components"]["schemas"]
    assert schemas["NewText"]["required"] == ["text"]
    assert not [name for name in schemas if name.startswith("Patched")]


def test_the_patterns_are_the_wires_own_rules() -> None:
    """Not only white space, whatever Unicode counts as such; and no NUL."""
    every = [chr(point) for point in range(0x3100) if not 0xD800 <= point <= 0xDFFF]
    assert [one for one in every if bool(re.search(SAID, one)) != bool(one.strip() and one != "\0")] == []
    assert [one for one in every if not re.search(NO_NUL, one)] == ["\0"]
