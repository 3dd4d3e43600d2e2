"""Every text that people see is translated, and the compiled catalogs are those of their sources."""

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from tests.rules.sources import ROOT, production, read, tracked
from tests.rules.translations import APPS, WEB, compiled, entries, said_by_the_browser, said_to_django

CATALOGS = sorted(path for app in APPS for path in (ROOT / app).glob("locale/*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)s")
NOT_FOR_PEOPLE = {
    ErrorCode.REQUIRED_KEYS,
    ErrorCode.INVALID_ACTION,
    ErrorCode.NOT_AUTHENTICATED,
}
"""Codes that our clients provoke by no click, or repeat by themselves."""


def app_of(path: Path) -> str:
    """Return the app that a catalog belongs to."""
    return path.parents[3].relative_to(ROOT).as_posix()


def name_of(path: Path) -> str:
    """Return a catalog's app, language and domain."""
    return f"{path.parts[-5]} {path.parts[-3]} {path.stem}"


def test_german_is_there() -> None:
    """And the page knows the sentences of refusals."""
    german = {"roomlog de django", "roomlog de djangojs", "roomlog_api de django"}
    assert {name for name in map(name_of, CATALOGS) if " de " in name} == german
    texts = read(f"{WEB}/texts.js").text
    of_codes = dict(re.findall(r'^  (\w+): gettext_noop\("(.+)"\),$', texts, re.MULTILINE))
    assert of_codes == {code: text for code, text in ERROR_MESSAGES.items() if code not in NOT_FOR_PEOPLE}
    elsewhere = "".join(source.text for source in production())
    elsewhere += "".join(read(path).text for path in tracked(WEB) if not path.endswith("/texts.js"))
    more = re.findall(r'^gettext_noop\((".+")\);', texts, re.MULTILINE)
    assert [text for text in more if json.dumps(json.loads(text)) not in elsewhere] == []


@pytest.mark.parametrize("path", CATALOGS, ids=name_of)
def test_a_catalog_is_complete(path: Path) -> None:
    """It has each text of the code and no other, translated, not guessed, with each placeholder."""
    found = entries(path)
    said = said_by_the_browser() if path.stem == "djangojs" else said_to_django(app_of(path))
    assert {entry.english for entry in found} == said, "make messages, then translate"
    assert [entry.english for entry in found if entry.is_fuzzy or not all(entry.translations)] == []
    for entry in found:
        for translation in entry.translations:
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(PLACEHOLDER.findall(entry.english))


@pytest.mark.parametrize("path", CATALOGS, ids=name_of)
def test_a_compiled_catalog_is_that_of_its_source(path: Path) -> None:
    """Nobody needs gettext's tools to install: what they make is here too."""
    assert compiled(path.with_suffix(".mo")) == {entry.english: entry.translations for entry in entries(path)}


@pytest.mark.parametrize("app", APPS)
def test_a_wheel_has_the_compiled_catalogs(app: str, tmp_path: Path) -> None:
    """And the page's module that reads them."""
    (wheel,) = WheelBuilder(str((ROOT / app).parent)).build(directory=str(tmp_path))
    names = set(ZipFile(wheel).namelist())
    catalogs = {path.with_suffix(".mo") for path in CATALOGS if app_of(path) == app}
    assert {path.relative_to((ROOT / app).parent).as_posix() for path in catalogs} <= names
    assert app == APPS[1] or "roomlog/static/roomlog/texts.js" in names
