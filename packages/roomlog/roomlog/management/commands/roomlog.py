"""`manage.py roomlog erase | export | trace | bot | chores`: an operator's commands.

Beside the message's way. Results go to standard output or a file, progress to standard error.
"""

import json
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, TextIO
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DatabaseError, IntegrityError, InterfaceError, transaction
from django.utils.translation import override

from roomlog import trace_text
from roomlog.bots import MOST_DAYS, bot_account, make_token
from roomlog.chores.process import Chores, has_duties
from roomlog.databases import become_writer
from roomlog.departures import is_leaving
from roomlog.erasure import erase
from roomlog.export import lines_of_person, lines_of_room
from roomlog.models import BotToken, ChatRoom, Person
from roomlog.people import person_id_by_text, person_of
from roomlog.trace import Fate, trace
from roomlog_runtime.health import Checks, HealthServer
from roomlog_runtime.logs import configure_logs
from roomlog_runtime.settings import SettingError, read_bind
from roomlog_runtime.shutdown import Shutdown

STILL_LEAVING: Final = "The workers have not ended all memberships of this account yet. Run this again."
UNREADABLE: Final = "{} dead letters can't be read, so nobody knows whose they are. See the admin."
ASKED: Final = (
    "{} messages: workers erase them within seconds. {} dead letters and {} bans: erased. "
    "{} reports: without their comments."
)
NOTHING_TO_DO: Final = (
    "Nothing to do: no function is connected, and no storage has files. Import it in your AppConfig's ready "
    'and write @receiver(message_missed) above it, from roomlog.signals; or set ROOMLOG["WEBHOOKS"].'
)
NO_PORT: Final = "Can't listen on {}: {}. Give each process of a machine its own ROOMLOG_HEALTH_BIND."


class Command(BaseCommand):
    """Erases, exports, traces, or does the chores."""

    help = "Erase, export or find what people have said, or tell the project of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        erasing = actions.add_parser("erase", help="take the texts out of all messages of a person")
        exporting = actions.add_parser("export", help="write what a person said, or a room's log, as JSON")
        for each in (erasing, exporting):
            each.add_argument("user", nargs="?", help="the primary key of your user")
            each.add_argument("--person", type=int, help="the person's id, as in messages")
        exporting.add_argument("--room", type=UUID, help="the room's id")
        exporting.add_argument("--output", type=Path, help="a new file instead of standard output")
        tracing = actions.add_parser("trace", help="tell where the message of a uuid is, and its way there")
        tracing.add_argument("uuid", help="the uuid of its command, as in logs and on the wire")
        tracing.add_argument("--json", action="store_true", help="one object instead of a table")
        making = actions.add_parser(
            "bot", help="make a token for a program, and its account if it is missing"
        )
        making.add_argument("name", help="the login name of the account")
        making.add_argument("token", help="what to call the token")
        making.add_argument("--days", type=int, default=90, help="when the token ends; default 90")
        actions.add_parser("chores", help="tell the project what is said to people who are away")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the one that was asked for."""
        match options["action"]:
            case "erase":
                self._erase(_person(options))
            case "export":
                self._export(options)
            case "trace":
                self._trace(options["uuid"], as_json=options["json"])
            case "bot":
                self.stdout.write(_bot_token(options["name"], options["token"], options["days"]))
            case "chores":
                _do_chores()

    def _erase(self, person: Person) -> None:
        """Ask for it, and say what was found."""
        if is_leaving(person.pk):
            raise CommandError(STILL_LEAVING)
        found = erase(person.pk, self._progress)
        self.stderr.write("")
        self.stdout.write(ASKED.format(found.messages, found.letters, found.bans, found.comments))
        if found.unreadable:
            self.stderr.write(UNREADABLE.format(found.unreadable))

    def _export(self, options: dict[str, Any]) -> None:
        if options["room"] is None:
            lines = lines_of_person(_person(options), self._progress)
        else:
            lines = lines_of_room(_room(options), self._progress)
        with self._target(options["output"]) as file:
            for line in lines:
                file.write(f"{line}\n")
        self.stderr.write("")

    def _trace(self, uuid: str, *, as_json: bool) -> None:
        """Print what is known of a uuid; fail where no room has it."""
        try:
            found = trace(uuid)
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database can't be asked: {type(error).__name__}.") from None
        with override(None):
            if as_json:
                self.stdout.write(json.dumps(trace_text.as_json(found)))
            else:
                self.stdout.write("\n".join(trace_text.table(found)))
        if found.fate is not Fate.STORED:
            raise CommandError("No room has it.")

    def _target(self, path: Path | None) -> AbstractContextManager[TextIO | OutputWrapper]:
        try:
            return nullcontext(self.stdout) if path is None else path.open("x", encoding="utf-8")
        except OSError as error:
            raise CommandError(str(error)) from None

    def _progress(self, done: int, of: int) -> None:
        self.stderr.write(f"\r{100 * done // max(of, 1)} %", style_func=str, ending="")
        self.stderr.flush()


def _bot_token(name: str, token: str, days: int) -> str:
    """Return a new token, alone on its line, so that a script can store it."""
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"Give days from 1 to {MOST_DAYS}.")
    try:
        with transaction.atomic():
            return make_token(BotToken(person=person_of(bot_account(name)), name=token), days)
    except ValidationError as error:
        raise CommandError(f"Make the account yourself: {'; '.join(error.messages)}") from None
    except IntegrityError:
        raise CommandError("There is a token of this name.") from None


def _do_chores() -> None:
    try:
        configure_logs("chores")
        bind = read_bind("ROOMLOG_HEALTH_BIND", "0.0.0.0:9084")
    except SettingError as error:
        raise CommandError(str(error)) from None
    if not has_duties():
        raise CommandError(NOTHING_TO_DO)
    become_writer()
    shutdown = Shutdown()
    chores = Chores(shutdown)
    try:
        health = HealthServer(bind, Checks(live=chores.is_turning, ready=chores.trouble))
    except OSError as error:
        raise CommandError(NO_PORT.format(bind, error.strerror)) from None
    shutdown.install()
    health.start()
    try:
        chores.run()
    finally:
        health.stop()


def _person(options: dict[str, Any]) -> Person:
    """Return whom the words mean: by a user's key, or by the id that is in messages."""
    key, number = options["user"], options["person"]
    if (key is None) == (number is None):
        raise CommandError("Give the primary key of a user, or --person.")
    wanted: int | None = number if key is None else person_id_by_text(key)
    found = None if wanted is None else Person.objects.filter(pk=wanted).first()
    if found is None:
        raise CommandError("There is no such person. A deleted account is found only by --person.")
    return found


def _room(options: dict[str, Any]) -> ChatRoom:
    if options["user"] is not None or options["person"] is not None:
        raise CommandError("Give a person or a room, not both.")
    found = ChatRoom.objects.filter(pk=options["room"]).first()
    if found is None:
        raise CommandError("There is no such room.")
    return found
