"""The code of docs/from-channels.md, in a new project beside a real worker: it does what the page says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from roomlog_local.valkey import valkey
from tests.host.project import Project
from tests.host.test_new_project import ROOT, Ports, commands, running

PAGE: Final = (ROOT / "docs/from-channels.md").read_text(encoding="utf-8")
FILE: Final = re.compile(r"^```(?:python|html)\n((?:# |<!-- )(\S+).*?)^```", re.MULTILINE | re.DOTALL)
FILES: Final = {path: text for text, path in FILE.findall(PAGE)}
IN_CHANNELS: Final = {"support/consumers.py", "support/closing.py"}
WRITTEN_SECONDS: Final = 60.0
AT_THE_DESK: Final = """
import json, time
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from roomlog.models import ChatMessage, Membership, PendingCommand
from support.chat import close, room_of
from support.models import Ticket

call_command("check", fail_level="WARNING")
carla, alan, gone = (User.objects.create_user(name) for name in ("carla", "alan", "gone"))
ticket = Ticket.objects.create(subject="No sound", customer=carla)
ticket.agents.add(alan)
for author, text in ((carla, "Hello?"), (gone, "One moment."), (alan, "Which one?"), (None, "Moved.")):
    ticket.messages.create(author=author, text=text)
for _ in range(2):
    call_command("take_over")
for is_meant in (False, True, True):
    with transaction.atomic():
        close(ticket)
        transaction.set_rollback(not is_meant)
ticket.agents.remove(alan)

def shows_the_chat(user):
    browser = Client()
    browser.force_login(user)
    answer = browser.get(f"/tickets/{ticket.pk}/")
    return answer.status_code == 200 and f'room="{room_of(ticket).hex}"' in answer.text

deadline = time.monotonic() + WRITTEN_SECONDS
while PendingCommand.objects.exists():
    assert time.monotonic() < deadline, "a command is not written"
    time.sleep(0.05)
said = ChatMessage.objects.order_by("seq").values_list("user__name", "text")
members = Membership.objects.filter(user__user__isnull=False).values_list("user__name", flat=True)
print(json.dumps({
    "said": [(name, text.split("\\n")[0]) for name, text in said],
    "members": list(members),
    "pages": {user.username: shows_the_chat(user) for user in (carla, alan, gone)},
}))
""".replace("WRITTEN_SECONDS", str(WRITTEN_SECONDS))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Project]:
    """The page's project, with a worker."""
    made, ports = Project(tmp_path / "project"), Ports()
    made.add_roomlog()
    made.set('INSTALLED_APPS += ["support"]', f'ROOMLOG = {{"REDIS_URL": "{ports.redis_url}"}}')
    made.set('ALLOWED_HOSTS = ["testserver"]')
    made.write("support/__init__.py", "")
    for path in FILES.keys() - IN_CHANNELS:
        made.write(path, FILES[path])
    urls = made.folder / "shop/urls.py"
    route = "from support.views import ticket\nurlpatterns += [path('tickets/<int:pk>/', ticket)]\n"
    urls.write_text(urls.read_text() + route)
    made.manage("makemigrations", "support")
    made.manage("migrate")
    worker = next(command for command in commands(made, ports) if command.name == "worker")
    with running([valkey(ports.redis, tmp_path), worker], tmp_path):
        yield made


def test_the_rewritten_consumer_chats(desk: Project) -> None:
    """Old messages move once, in order; a transaction speaks once; members follow the ticket."""
    found = json.loads(desk.shell(AT_THE_DESK).splitlines()[-1])
    assert found["members"] == ["carla"]
    assert found["pages"] == {"carla": True, "alan": False, "gone": False}
    assert found["said"] == [
        ["carla", "Hello?"],
        ["gone", "One moment."],
        ["alan", "Which one?"],
        ["Support", "Moved."],
        ["Support", "This ticket is closed."],
    ]


@pytest.mark.parametrize("path", sorted(IN_CHANNELS))
def test_the_consumer_before_is_python(path: str) -> None:
    """Channels is not installed here: its half of the page is only compiled."""
    compile(FILES[path], path, "exec")
