"""Below a prefix of a proxy's, whether the proxy takes it from the path or leaves it there."""

import json
from typing import Any

import pytest

from tests.harness.manage import run_python

SCRIPT = """
import io, json, sys
from roomlog_api.wsgi import application
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

call_command("migrate", verbosity=0)
User.objects.create_superuser("root", password="root root root")

def ask(path, method="GET", cookie="", body=b"", kind="text/plain"):
    said = {}
    def start(status, headers):
        said.update(status=int(status[:3]), headers=headers)
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "HTTP_COOKIE": cookie,
        "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr, "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "localhost",
    }
    answer = application(environ, start)
    said["body"] = b"".join(answer).decode(errors="replace")
    answer.close()
    return said

below = sys.argv[1]
session = Client()
session.force_login(User.objects.get())
cookie = "roomlog_session=" + session.cookies["roomlog_session"].value
print(json.dumps({
    "stranger": ask(below + "/"),
    "login": ask(below + "/login/"),
    "page": ask(below + "/", cookie=cookie),
    "no slash": ask(below, cookie=cookie),
    "admin": ask(below + "/admin/", cookie=cookie),
    "module": ask(below + "/static/roomlog/chat.js"),
    "rest": ask(below + "/api/v1/nothing/"),
    "schema": ask(below + "/api/v1/schema/"),
}))
"""


@pytest.fixture(scope="module", params=["/chat", ""], ids=["the proxy leaves it", "the proxy takes it"])
def answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a process below /chat answers."""
    environ = {
        "ROOMLOG_SECRET_KEY": "x",
        "ROOMLOG_DATABASE_URL": "sqlite://:memory:",
        "ROOMLOG_PATH_PREFIX": "chat/",
        "DJANGO_SETTINGS_MODULE": "roomlog_api.settings",
        "ROOMLOG_LOG_LEVEL": "error",
    }
    ran = run_python("-c", SCRIPT, request.param, environ=environ, seconds=120)
    assert ran.returncode == 0, ran.stderr[-3000:]
    made: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return made


def header(answer: dict[str, Any], name: str) -> list[str]:
    """Return all values of a header."""
    return [value for key, value in answer["headers"] if key.lower() == name]


def test_all_of_it_is_below_the_prefix(answers: dict[str, Any]) -> None:
    """Strangers' login and way back, cookies, REST and its description."""
    assert header(answers["stranger"], "location") == ["/chat/login/?next=/chat/"]
    cookies = header(answers["login"], "set-cookie")
    assert cookies
    assert all("Path=/chat/" in cookie for cookie in cookies)
    assert answers["rest"]["status"] == 404
    assert header(answers["rest"], "content-type") == ["application/problem+json"]
    assert "/api/v1/rooms/" in answers["schema"]["body"]


def test_every_address_in_a_page_is_below_it(answers: dict[str, Any]) -> None:
    """Static files, the ticket, the search, the admin: nothing points to the root of the host."""
    page = answers["page"]["body"]
    assert answers["page"]["status"] == 200
    for address in (
        "/chat/static/roomlog/chat.js",
        "/chat/api/v1/ticket/",
        "/chat/api/v1/users/",
        "/chat/admin/",
    ):
        assert f'"{address}"' in page
    assert answers["module"]["status"] == 200
    for name in ("page", "no slash"):
        assert 'data-websocket-url="/chat/ws"' in answers[name]["body"]
    for name in ("page", "login", "admin"):
        body = answers[name]["body"]
        for attribute in ("href", "src", "action"):
            wrong = [part for part in body.split(f'{attribute}="/')[1:] if not part.startswith("chat/")]
            assert wrong == [], (name, attribute, wrong[0][:80])
