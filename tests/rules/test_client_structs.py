"""The Python client takes the contract's structs, and defines only those that say something else."""

from types import ModuleType
from typing import Any, get_type_hints

import pytest
from msgspec import Struct

from roomlog_client import events as client_events
from roomlog_client import incoming
from roomlog_contract import commands, events, values


def fields_of(struct: type[Struct]) -> dict[str, Any]:
    """Return the fields with their types, without bounds and defaults."""
    return {name: kind for name, kind in get_type_hints(struct).items() if name in struct.__struct_fields__}


def structs_of(module: ModuleType) -> list[type[Struct]]:
    """Return the structs that a module defines itself."""
    named = vars(module).values()
    return [
        one
        for one in named
        if isinstance(one, type) and issubclass(one, Struct) and one.__module__ == module.__name__
    ]


CONTRACT = [struct for module in (commands, events, values) for struct in structs_of(module)]


@pytest.mark.parametrize(
    "struct", [*structs_of(client_events), *structs_of(incoming)], ids=lambda struct: struct.__name__
)
def test_no_struct_of_the_client_repeats_one_of_the_contract(struct: type[Struct]) -> None:
    """The same fields of the same types are the same thing: import it."""
    assert [one.__name__ for one in CONTRACT if fields_of(one) == fields_of(struct)] == []


def test_a_repeated_struct_is_found() -> None:
    """A cursor of one's own, without the contract's bounds."""

    class Place(Struct):
        epoch: str
        seq: int

    assert [one.__name__ for one in CONTRACT if fields_of(one) == fields_of(Place)] == ["Cursor"]
