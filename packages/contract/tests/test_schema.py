"""The generated files are those of the structs as they are now, and the check says so when they are not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roomlog_contract import schema
from roomlog_contract.actions import COMMANDS


def references(node: Any) -> Iterator[str]:
    """Yield every `$ref` of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def resolves(document: Any, reference: str) -> bool:
    """Tell whether a local reference names something."""
    for key in reference.removeprefix("#/").split("/"):
        if key not in document:
            return False
        document = document[key]
    return True


def test_the_files_in_the_repository_are_not_stale(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever changes a struct runs `make schema`."""
    status = schema.main(["--check"])
    assert capsys.readouterr().err == ""
    assert status == 0


@pytest.mark.parametrize("name", schema.render())
def test_the_check_names_the_stale_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One changed character is enough, and one sentence says what to do."""
    monkeypatch.setattr(schema, "DIRECTORY", tmp_path)
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    (tmp_path / name).write_text("{}", encoding="utf-8")
    assert schema.main(["--check"]) == 1
    assert capsys.readouterr().err == f"The schema of the wire is stale ({name}): make schema\n"


def test_the_check_notices_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing generated yet is stale too."""
    monkeypatch.setattr(schema, "DIRECTORY", tmp_path / "nowhere")
    assert schema.main(["--check"]) == 1


@pytest.mark.parametrize("name", schema.render())
def test_every_reference_names_something(name: str) -> None:
    """The files stand alone: no reference leads out of them or nowhere."""
    document = json.loads(schema.render()[name])
    found = list(references(document))
    assert found
    assert [reference for reference in found if not resolves(document, reference)] == []


def test_frames_say_which_fields_are_always_there() -> None:
    """AsyncAPI has an operation with its replies for every action."""
    definition = json.loads(schema.render()["frames.json"])["$defs"]["NewMessageEvent"]
    assert set(definition["properties"]) - set(definition["required"]) == {"duplicate"}
    operations = json.loads(schema.render()["asyncapi.json"])["operations"]
    assert set(operations) == {*COMMANDS, "event"}
    for action, struct in COMMANDS.items():
        assert operations[action]["action"] == "receive"
        assert operations[action]["messages"] == [{"$ref": f"#/channels/socket/messages/{struct.__name__}"}]
        assert len(operations[action]["reply"]["messages"]) >= 2
