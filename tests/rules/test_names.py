"""The documents name files and functions that are there: the walk of a message stays true."""

import pytest

from tests.rules.names import missing_names
from tests.rules.sources import read, tracked

WALK = "ARCHITECTURE.md"
DOCUMENTS = [path for path in tracked() if path.endswith(".md")]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_name_in_a_document_is_there(path: str) -> None:
    """A file that is renamed is renamed in the documents too."""
    assert list(missing_names(read(path).text)) == []


def test_the_walk_of_a_message_names_its_files() -> None:
    """ARCHITECTURE.md follows one message through at least ten files."""
    text = read(WALK).text
    assert text.count(".py") >= 10


@pytest.mark.parametrize(
    "text",
    [
        "`packages/contract/roomlog_contract/shard.py`",
        "`packages/contracts/`",
        "`log/sql/append_single.mysql.sql`",
        "`shards.py:rooms_of`",
        "`roomlog_contract/events.py:Message.sequence`",
        "`__init__.py:anything`",
        "`roomlog_contract.shards.rooms_of`",
        "`roomlog_contract.sharding`",
    ],
)
def test_a_name_that_is_not_there_is_found(text: str) -> None:
    """Paths, folders, functions, fields and dotted names; a short path must name one file."""
    assert list(missing_names(f"See {text}.")) == [text.strip("`")]


@pytest.mark.parametrize(
    "text",
    [
        "`packages/contract/roomlog_contract/shards.py`",
        "`roomlog_contract/`",
        "`log/sql/append_single.postgresql.sql`",
        "`shards.py:room_of`",
        "`shards.py:DEFAULT_SHARDS`",
        "`roomlog_contract/events.py:Message.seq`",
        "`roomlog_contract.shards.room_of`",
        "`roomlog_contract.codec`",
        "`new_message`, `/ws`, `room.post()`, `a/b`, `.roomlog/demo.json`, `values.yaml`",
        "\n```\n`nowhere/at_all.py`\n```\n",
    ],
)
def test_a_name_that_is_there_passes(text: str) -> None:
    """Words in backticks that are no path and no name of ours are left alone."""
    assert list(missing_names(f"See {text}.")) == []
