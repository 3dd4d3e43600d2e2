"""What the stand-alone project itself says, in the language that a browser asks for."""

import pytest
from django.contrib.auth.models import User
from django.db import DataError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from structlog.testing import capture_logs

from roomlog_api.refusals import Refusals
from tests.harness.accounts import GERMAN, language  # noqa: F401 - a fixture, used by its name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("language")]


def test_the_admin_shows_a_token_in_german(admin_client: Client, alice: User) -> None:
    """With the key, for the only time."""
    made = admin_client.post("/admin/roomlog_api/accesstoken/add/", {"user": alice.pk}, headers=GERMAN)
    page = admin_client.get(made.headers["location"], headers=GERMAN).content.decode()
    assert "Der Schlüssel, nur jetzt zu sehen: " in page
    assert "Tokens" in page
    assert "Zugang" in page


@pytest.mark.parametrize(
    ("method", "host", "sentence"),
    [
        ("BREW", "testserver", "Dieser Pfad unterstützt die Methode nicht."),
        ("GET", "elsewhere.example", "Dieser Host wird hier nicht bedient."),
    ],
)
def test_what_no_view_sees_is_in_german(client: Client, method: str, host: str, sentence: str) -> None:
    """Although no other middleware has seen it; the log stays English."""
    with capture_logs() as logs:
        page, rest = (
            client.generic(method, path, headers=GERMAN | {"host": host})
            for path in ("/login/", "/api/v1/rooms/")
        )
    assert page.content.decode() == f"{sentence}\n"
    assert rest.json()["detail"] == sentence
    assert sentence not in str(logs)
    assert [entry["event"] for entry in logs].count("request_refused") == 2


def test_a_value_that_no_database_stores_is_refused_in_german(rf: RequestFactory) -> None:
    """On a page, as over REST."""
    refusals = Refusals(lambda request: HttpResponse())
    answer = refusals.process_exception(rf.get("/login/", headers=GERMAN), DataError())
    assert answer is not None
    assert answer.content.decode() == "Ein Wert lässt sich nicht speichern.\n"
