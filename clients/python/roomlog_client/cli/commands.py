"""The commands of `roomlog`: options in, a sentence or a table out, exit status 1 where something failed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from roomlog_client.api import FoundRoom
from roomlog_client.errors import RoomlogError
from roomlog_client.events import Sent
from roomlog_contract.limits import UNREAD_COUNTED

from . import attaching, joining, messages, operators, owners, saved_login
from . import release as release_objects
from .account import Account, NoAccount, account_at, find_account
from .event_lines import say_event, say_found, say_found_json, say_json
from .kubectl import KubectlFailed
from .lines import lines
from .progress import Pace
from .terminal import as_json, plain, prepare

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Roomlog from the command line.")
console = Console()
complaints = Console(stderr=True)

LINES_AT_ONCE: Final = 16
"""Of standard input on their way: the rate decides how fast they go, not the distance to the gateway."""
HANDED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Of commands whose words, --help included, are another program's."""
Url = Annotated[str | None, typer.Option(envvar="ROOMLOG_URL", help="The gateway's address, ws://…/ws.")]
TokenFile = Annotated[
    Path | None, typer.Option(help="The token's file; else ROOMLOG_TOKEN, else the demo's.")
]
ApiUrl = Annotated[
    str | None,
    typer.Option("--api", envvar="ROOMLOG_API_URL", help="The api's address; else /api/v1/ beside /ws."),
]
DemoUser = Annotated[str | None, typer.Option("--as", help="A user of the demo that runs in this folder.")]


def _say_version(is_asked: bool) -> None:
    if is_asked:
        print(f"roomlog {version('roomlog-client')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command(context_settings=HANDED_ON)
def demo(context: typer.Context) -> None:
    """Start everything on this machine: Valkey, workers, gateway, api and a chat page."""
    try:
        start = import_module("roomlog_local.demo").main
    except ModuleNotFoundError as error:
        _fail(f"the demo is not installed ({error.name} is missing); run `make .venv` in the repository")
    raise typer.Exit(start(context.args))


@app.command()
def login(
    url: Annotated[str, typer.Option(envvar="ROOMLOG_URL", help="The gateway's address, ws://…/ws.")],
    api: ApiUrl = None,
) -> None:
    """Ask for a token, try it, and keep it for later commands.

    Standard input is read where it is no terminal: roomlog login --url wss://chat.example.com/ws < token
    """
    is_piped = not sys.stdin.isatty()
    token = sys.stdin.readline() if is_piped else typer.prompt("Token", hide_input=True)
    try:
        account = account_at(url.strip(), token.strip(), (api or "").strip())
    except NoAccount as error:
        _fail(str(error))
    if not account.token:
        _fail("the token is empty")
    name = _run(messages.who(account))
    file = saved_login.save(saved_login.SavedLogin(account.url, account.token, account.api))
    print(f"{plain(name)} at {account.url}; kept in {file}")


@app.command()
def logout() -> None:
    """Delete the login that is kept on this machine; the token itself stays valid."""
    print("logged out" if saved_login.forget() else "nobody was logged in")


@app.command()
def rooms(
    words: Annotated[str, typer.Argument(help="With --all: what the name contains.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Those that everybody may join.")] = False,
    raw: Annotated[bool, typer.Option("--json", help="One object per line.")] = False,
    url: Url = None,
    api: ApiUrl = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Print your rooms: unread messages, last seq, id, name and topic. Or those that everybody may join."""
    if all_:
        _say_open_rooms(_run(joining.open_rooms(_account(url, token_file, user, api), words)), raw)
        return
    found = _run(messages.rooms(_account(url, token_file, user)))
    if raw:
        for room in found:
            print(as_json(msgspec.to_builtins(room)))
        return
    table = Table("unread", "seq", "room", "name", "topic")
    for room in found:
        unread = f"{UNREAD_COUNTED - 1}+" if room.unread >= UNREAD_COUNTED else str(room.unread)
        name = plain(room.name) + (" (archived)" if room.archived else "")
        table.add_row(unread, str(room.seq), room.id, Text(name), Text(plain(room.topic)))
    console.print(table)


def _say_open_rooms(found: list[FoundRoom], raw: bool) -> None:
    if raw:
        for room in found:
            print(as_json(msgspec.to_builtins(room)))
        return
    table = Table("room", "name", "topic")
    for room in found:
        name = plain(room.name) + (" (joined)" if room.joined else "")
        table.add_row(room.id, Text(name), Text(plain(room.topic)))
    console.print(table)


@app.command()
def join(
    room: Annotated[str, typer.Argument(help="The id or name of a room, or an invitation's link.")],
    url: Url = None,
    api: ApiUrl = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Join a room that everybody may join, or one to which you have a link, and print its id."""
    print(_run(joining.join(_account(url, token_file, user, api), room)))


@app.command()
def send(
    room: Annotated[str, typer.Argument(help="A room's id or name.")],
    text: Annotated[str, typer.Argument(help="The message; - reads one per line from standard input.")] = "",
    attach: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="A file; once for each, 10 at most."),
    ] = None,
    url: Url = None,
    api: ApiUrl = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Send a message to a room, with files or without, and print its seq."""
    account = _account(url, token_file, user, api)
    if attach:
        if text == "-":
            _fail("files go with one message: give its text in place of -, or none")
        _say_sent(_run(attaching.send(account, room, text, attach)))
        return
    if text != "-":
        _run(messages.send(account, room, _once(text), _say_sent))
        return
    pace = Pace()

    def say(sent: Sent) -> None:
        _say_sent(sent)
        pace.step()

    # A person at a terminal reads each answer before the next line; a program has them all.
    _run(messages.send(account, room, lines(), say, 1 if sys.stdin.isatty() else LINES_AT_ONCE))


@app.command()
def chat(
    room: Annotated[str, typer.Argument(help="A room's id or name.")],
    url: Url = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Read and write in a room, in the whole terminal; Ctrl+C ends it."""
    try:
        begin = import_module("roomlog_client.cli.chat").chat
    except ModuleNotFoundError as error:
        _fail(f"the chat needs {error.name}; run `pip install 'roomlog-client[chat]'`")
    _run(begin(_account(url, token_file, user), room))


@app.command()
def tail(
    room: Annotated[str | None, typer.Argument(help="A room's id or name; all rooms without one.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="From the beginning, not only new events.")] = False,
    count: Annotated[int | None, typer.Option(min=1, help="Exit after this many events.")] = None,
    raw: Annotated[bool, typer.Option("--json", help="Whole frames, one per line.")] = False,
    url: Url = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Print a room's events as they arrive, each once and in order, through restarts and deploys."""
    account = _account(url, token_file, user)
    _run(messages.tail(account, room, "beginning" if all_ else "head", count, say_json if raw else say_event))


def _seconds(date: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(date).timestamp()))
    except (ValueError, OverflowError):
        raise typer.BadParameter("give a date as 2026-11-27, or a time as '2026-11-27 18:30'") from None


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="word, begin* or '\"words side by side\"'.")],
    room: Annotated[str | None, typer.Option(help="A room's id or name; all rooms without one.")] = None,
    author: Annotated[str | None, typer.Option(help="A person's id or name.")] = None,
    after: Annotated[
        int | None, typer.Option(parser=_seconds, metavar="DATE", help="Sent at this date or time, or later.")
    ] = None,
    before: Annotated[
        int | None, typer.Option(parser=_seconds, metavar="DATE", help="Sent before this date or time.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most messages to print.")] = 25,
    raw: Annotated[bool, typer.Option("--json", help="Whole messages, one per line.")] = False,
    url: Url = None,
    api: ApiUrl = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Print the messages of your rooms that have all of these words, the newest first."""
    wanted = messages.Search(" ".join(words), limit, room, author, after, before)
    say = say_found_json if raw else say_found
    _run(messages.search(_account(url, token_file, user, api), wanted, say))


@app.command()
def verify(
    room: Annotated[str, typer.Argument(help="A room's id or name.")],
    digest: Annotated[str | None, typer.Option(help="Fail unless the log has this digest.")] = None,
    url: Url = None,
    token_file: TokenFile = None,
    user: DemoUser = None,
) -> None:
    """Read a room's log as a member, check that seq is 1, 2, 3 … and print its digest."""
    verified = _run(messages.verify(_account(url, token_file, user), room))
    console.print(f"room    {plain(verified.room)}", markup=False, highlight=False)
    console.print(f"epoch   {plain(verified.epoch)}", markup=False, highlight=False)
    console.print(f"events  1 to {verified.events}, no gap" if verified.events else "events  none")
    console.print(f"digest  {verified.digest}")
    if digest is not None and digest.lower() != verified.digest:
        _fail("the digest differs")


@app.command(name="shards")
def show_shards(
    addresses: Annotated[list[str] | None, typer.Argument(help="Workers' health addresses.")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Ask kubectl for its pods.")
    ] = None,
) -> None:
    """Print which worker owns which shards; fails while a shard has no owner.

    On this machine: roomlog shards http://127.0.0.1:9081 …
    In Kubernetes: roomlog shards --namespace chat (kubectl must be able to list pods and exec into them).
    """
    if (namespace is None) == (not addresses):
        _fail("give either addresses or --namespace")
    found = _run(owners.ask_namespace(namespace) if namespace else owners.ask_addresses(addresses or []))
    table = Table("worker", "shards", "numbers")
    for worker, shards in found.items():
        mine = owners.owned(shards)
        numbers = "no answer" if shards is None else " ".join(f"{shard:02d}" for shard in mine)
        table.add_row(Text(plain(worker)), str(len(mine)), numbers)
    console.print(table)
    if doubled := owners.doubles(found):
        console.print(f"owned by several: {doubled}; run this again, a lease may be moving")
    if not any(found.values()):
        _fail("no worker answered")
    if missing := owners.orphans(found):
        _fail(f"no owner among these workers: {missing}")


@app.command(name="new-epoch", context_settings=HANDED_ON)
def new_epoch(context: typer.Context) -> None:
    """Invalidate every cursor after a database restore; needs the api's settings."""
    _operate("new-epoch", context.args)


@app.command(context_settings=HANDED_ON)
def doctor(
    context: typer.Context,
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Check a release of the chart.")] = False,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Where it is installed.")] = None,
    release: Annotated[str, typer.Option(help="The release's name in Helm.")] = "roomlog",
) -> None:
    """Check Redis, database, workers and worst-case memory; fails if something is wrong.

    In Kubernetes: roomlog doctor --kubernetes --namespace chat --release roomlog
    """
    if kubernetes == (namespace is None):
        _fail("--kubernetes and --namespace go together")
    if namespace is None:
        _operate("doctor", context.args)
    findings, report = _run(release_objects.look(namespace, release))
    for finding in findings:
        print(plain(str(finding)))
    for line in report.splitlines():
        print(plain(line))
    if wrong := sum(bool(finding.todo) for finding in findings):
        _fail(f"{wrong} WRONG: see above")


@app.command(context_settings=HANDED_ON)
def erase(context: typer.Context) -> None:
    """Take the texts out of all messages of a user; needs the api's settings."""
    _operate("erase", context.args)


@app.command(context_settings=HANDED_ON)
def export(context: typer.Context) -> None:
    """Write what a user said, or a room's log, as JSON lines; needs the api's settings."""
    _operate("export", context.args)


@app.command(context_settings=HANDED_ON)
def trace(context: typer.Context) -> None:
    """Tell where the message of a uuid is, and its way there; needs the api's settings."""
    _operate("trace", context.args)


def main() -> None:
    """Entry point of the `roomlog` command."""
    prepare()
    app()


def _operate(command: str, words: list[str]) -> NoReturn:
    try:
        raise typer.Exit(operators.operate(command, words))
    except operators.NoApi as error:
        _fail(str(error))


def _account(url: str | None, token_file: Path | None, user: str | None, api: str | None = None) -> Account:
    try:
        return find_account(url, token_file, user, api)
    except NoAccount as error:
        _fail(str(error))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end; what it raises becomes one sentence."""
    try:
        return asyncio.run(work)
    except (RoomlogError, KubectlFailed) as error:
        _fail(str(error))
    except TimeoutError:
        _fail("no answer in time")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _once(text: str) -> AsyncIterator[str]:
    yield text


def _fail(sentence: str) -> NoReturn:
    complaints.print(plain(sentence), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def _say_sent(sent: Sent) -> None:
    print(sent.seq, flush=True)
