"""The OpenAPI description of the REST interface."""

import pytest
from django.core.management import call_command
from django.test import Client


def test_the_schema_is_complete_and_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Each view says what it takes and gives: the generator has nothing to guess and nothing to warn of."""
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "/api/rooms/{room}/messages/" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_schema_is_served(client: Client) -> None:
    """Whoever writes a client finds it where the interface is."""
    answer = client.get("/api/schema/")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (
        200,
        "application/vnd.oai.openapi",
    )
