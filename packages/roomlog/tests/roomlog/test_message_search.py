"""Search of messages: what is found, by whom, and what never is, on both databases."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from roomlog.kinds import MESSAGE
from roomlog.models import Membership, RoomEvent, RoomHead, RoomIndexed, SearchEntry
from roomlog.search import hits, index
from roomlog.search.hits import Hits, Search, search
from roomlog_contract.commands import DeleteMessage, EditMessage, LeaveRoom
from tests.harness.databases import plan_of
from tests.harness.people import People, add_user, make_room, message, written


class Killed(BaseException):
    """The process ends here."""


def index_all() -> int:
    """Index until nothing is left; return how many messages were written."""
    messages = 0
    while rooms := index.behind_after(UUID(int=0), 1_000)[0]:
        messages += index.index(rooms).messages
    return messages


def say(room: UUID, author: int, *texts: str) -> list[int]:
    """Write messages; return their ids."""
    return [written(message(room, text), author).event.id for text in texts]


def found(asker: int, text: str = "", **wanted: object) -> list[str]:
    """Return the texts that somebody finds."""
    return [one.text for one in search(asker, Search(text=text, **wanted)).messages]  # type: ignore[arg-type]


@pytest.fixture
def room(people: People) -> UUID:
    """Alice's, with Bob."""
    return make_room(people.alice, [people.bob])


WORDS = [
    ("The invoice is paid", "INVOICE paid", True),
    ("The invoice is paid", "invoice unpaid", False),
    ("The invoice is paid", "inv", False),
    ("The invoice is paid", "inv*", True),
    ("The invoice is paid", '"invoice is"', True),
    ("The invoice is paid", '"is invoice"', False),
    ("The invoice is paid", '"the inv"*', True),
    ("don't", "don't", True),
    ("e\u0301tude in Straße", "ÉTUDE strasse", True),
    ("今日は東京に行きます", "東京", True),
    ("今日は東京に行きます", "京東", False),
    ("foo_bar:12.5", "bar 12", True),
    ("quotes ' \\ \" and & | ! ( ) :", "' \\ & | ! ( ) : and", True),
    ("NEAR OR AND NOT", "near OR not", True),
    ("x" * 3_999, "x" * 199 + "*", True),
    ("only 👍", "👍", False),
]
"""A message, a search, and whether it finds the message."""


def test_words_are_found(people: People) -> None:
    """All of them, in any case and order; side by side in quotes; not parts of words."""
    for text, looked_for, is_found in WORDS:
        room = make_room(people.alice, [people.bob])
        say(room, people.alice, text)
        index_all()
        assert found(people.bob, looked_for, room=room) == ([text] if is_found else []), looked_for


def test_only_members_find_messages(people: People, room: UUID) -> None:
    """Those of their rooms of now; who has left finds nothing, and who has come finds all that was said."""
    say(room, people.alice, "the secret")
    index_all()
    assert found(people.carol, "secret") == found(people.carol, "secret", room=room) == []
    assert found(people.bob, "secret") == found(people.bob, "secret", room=room) == ["the secret"]
    written(LeaveRoom(uuid="bye", room=room), people.bob)
    assert found(people.bob, "secret") == []
    late = make_room(people.carol)
    say(late, people.carol, "a secret of hers")
    Membership.objects.create(room_id=late, user_id=people.bob)
    index_all()
    assert found(people.bob, "secret") == ["a secret of hers"]


def test_room_author_and_time_narrow_a_search(people: People, room: UUID) -> None:
    """Alone or together with words."""
    other = make_room(people.bob, [people.alice])
    say(room, people.alice, "tea of alice")
    say(room, people.bob, "tea of bob")
    say(other, people.bob, "tea elsewhere")
    RoomEvent.objects.filter(text="tea of alice").update(date_created=F("date_created") - timedelta(days=2))
    index_all()
    day_ago = int(RoomEvent.objects.latest("date_created").date_created.timestamp()) - 86_400
    assert found(people.alice, "tea") == ["tea elsewhere", "tea of bob", "tea of alice"]
    assert found(people.alice, "tea", room=room) == ["tea of bob", "tea of alice"]
    assert found(people.alice, "tea", author=people.bob) == ["tea elsewhere", "tea of bob"]
    assert found(people.alice, author=people.bob, room=room) == ["tea of bob"]
    assert found(people.alice, "tea", after=day_ago) == ["tea elsewhere", "tea of bob"]
    assert found(people.alice, "tea", before=day_ago) == ["tea of alice"]
    assert found(people.alice, " ", room=other) == ["tea elsewhere"]
    assert found(people.alice, "?!", author=people.bob) == []


def test_a_deleted_message_is_never_found(people: People, room: UUID) -> None:
    """Nor is it in the index, from the transaction on that takes its text; by erasure too."""
    first, _ = say(room, people.alice, "first regret", "second regret")
    index_all()
    written(DeleteMessage(uuid="gone", room=room, message=first), people.alice)
    assert found(people.bob, "regret") == ["second regret"]
    assert _indexed_texts() == 1
    index_all()
    assert found(people.bob, "regret") == ["second regret"]


def test_a_deletion_hides_what_the_index_still_has(people: People, room: UUID) -> None:
    """The log has the last word: here the index was never told."""
    say(room, people.alice, "regret")
    index_all()
    RoomEvent.objects.filter(kind=MESSAGE).update(text="", deleted_at=F("date_created"))
    assert (found(people.bob, "regret"), _indexed_texts()) == ([], 1)


def test_an_edited_message_is_found_by_what_it_says_now(people: People, room: UUID) -> None:
    """By the old words no more at once, by the new ones at the index's next turn; twice edited too."""
    (first,) = say(room, people.alice, "blue")
    index_all()
    for number, text in enumerate(["green", "red"]):
        edit = EditMessage(uuid=f"edit-{number}", room=room, message=first, text=text)
        written(edit, people.alice)
    assert found(people.bob, "blue") == []
    assert index_all() == 1
    assert (found(people.bob, "red"), found(people.bob, "green"), _indexed_texts()) == (["red"], [], 1)


def test_pages_go_on_where_the_last_one_ended(people: People, room: UUID) -> None:
    """Each hit once."""
    say(room, people.alice, *(f"tea {number}" for number in range(5)))
    index_all()
    pages, cursor = [], None
    while True:
        page = search(people.bob, Search(text="tea", limit=2, cursor=cursor))
        pages.append([one.text for one in page.messages])
        cursor = page.next
        if cursor is None:
            break
    assert pages == [["tea 4", "tea 3"], ["tea 2", "tea 1"], ["tea 0"]]


@pytest.mark.parametrize("most_candidates", [0, 5, 100])
@pytest.mark.parametrize("wanted", ["tea", '"tea time"'])
def test_a_bounded_search_finds_all_by_and_by(
    people: People, room: UUID, monkeypatch: pytest.MonkeyPatch, wanted: str, most_candidates: int
) -> None:
    """With windows of three messages, whether older hits are many or few."""
    for name, value in {
        "FIRST_WINDOW": 3,
        "WINDOW": 3,
        "WINDOWS": 2,
        "MOST_CANDIDATES": most_candidates,
    }.items():
        monkeypatch.setattr(hits, name, value)
    texts = ("tea time", "no", "time for tea", "no", "coffee time", "no", "no")
    say(room, people.alice, *(texts[number % 7] for number in range(30)))
    index_all()
    seqs: list[int] = []
    page = Hits([], None)
    for _ in range(30):
        page = search(people.bob, Search(text=wanted, cursor=page.next))
        seqs += [one.seq for one in page.messages]
        if page.next is None:
            break
    assert page.next is None
    said = RoomEvent.objects.filter(text__contains=wanted.strip('"'))
    assert seqs == sorted(said.values_list("seq", flat=True), reverse=True)


@contextmanager
def a_million_entries() -> Iterator[None]:
    """Let SQLite plan as for a million messages in 3,000 rooms."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        for name, stat in (
            ("entries_by_room", "1000000 334 1"),
            ("%autoindex_roomlog_searchentry%", "1000000 1"),
        ):
            cursor.execute("UPDATE sqlite_stat1 SET stat = %s WHERE idx LIKE %s", [stat, name])
            assert cursor.rowcount
        cursor.execute("ANALYZE sqlite_schema")  # reads what was written
        yield
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_schema")


def test_a_hit_is_looked_up_once_and_not_in_each_room(sqlite: str) -> None:
    """In each of hundreds of rooms it takes a minute."""
    author = add_user("author")
    for _ in range(3):
        say(make_room(author), author, "the invoice")
    index_all()
    with CaptureQueriesContext(connection) as captured:
        assert found(author, "invoice") == ["the invoice"] * 3
    by_words = [one["sql"] for one in captured.captured_queries if "MATCH" in one["sql"]]
    with a_million_entries():
        plans = [plan_of(sql) for sql in by_words]
    assert plans
    assert not any("entries_by_room" in plan for plan in plans)


def test_the_index_goes_on_after_a_crash(people: People, room: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces; what did not commit is done again, and every message is there once."""
    monkeypatch.setattr(index, "EVENTS_AT_ONCE", 4)
    other = make_room(people.bob)
    say(room, people.alice, *["tea"] * 6)
    say(other, people.bob, *["tea"] * 6)
    index.index([room, other])

    def crash(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as crashing:
        crashing.setattr(index, "_note", crash)
        with pytest.raises(Killed):
            index.index([room, other])
    index_all()
    assert sorted(SearchEntry.objects.values_list("room", "seq")) == sorted(
        RoomEvent.objects.filter(kind=MESSAGE).values_list("room", "seq")
    )
    assert _indexed_texts() == 12
    assert {row.room_id: row.seq for row in RoomIndexed.objects.all()} == dict(
        RoomHead.objects.values_list("room", "last_seq")
    )


def test_a_room_can_be_indexed_again(people: People, room: UUID) -> None:
    """From its beginning, over what is there."""
    say(room, people.alice, "tea", "tea")
    assert index_all() == 2
    RoomIndexed.objects.update(seq=0)
    assert (index_all(), _indexed_texts(), found(people.bob, "tea")) == (2, 2, ["tea", "tea"])


def _indexed_texts() -> int:
    """Return how many messages' words the index has."""
    tables: Iterable[str] = ["roomlog_searchentry"]
    if connection.vendor == "sqlite":
        tables = [*tables, "roomlog_searchtext"]
    counts = set()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts.add(cursor.fetchone()[0])
    (count,) = counts
    return int(count)
