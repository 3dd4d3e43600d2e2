"""The search for people by how their names begin, in an install with many."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roomlog.finding import people_found
from roomlog.models import Person
from tests.harness.databases import plan_of
from tests.harness.people import People

OTHERS = 5_000


@pytest.mark.parametrize(("begun", "name"), [("ann", "Ann Lee"), ("ÉMI", "Émile")])
def test_names_are_found_by_their_index(
    people: People, monkeypatch: pytest.MonkeyPatch, begun: str, name: str
) -> None:
    """On both databases, however many people there are, in whatever case, by one query."""
    monkeypatch.setitem(settings.ROOMLOG, "FIND_PEOPLE", "all")
    users = User.objects.bulk_create(User(username=f"person {number}") for number in range(OTHERS))
    Person.objects.bulk_create(Person(user=user, name=user.username) for user in users)
    Person.objects.filter(pk=people.bob).update(name=name)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        assert [one.username for one in people_found(people.alice, begun)] == [name]
    (query,) = captured.captured_queries
    assert "people_by_beginning" in plan_of(query["sql"])
