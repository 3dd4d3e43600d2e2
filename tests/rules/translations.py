"""Texts that people see, as the code has them and as the catalogs of gettext do.

Looked at are the apps' Python files, their templates and the browser's modules. Nothing here needs gettext's
tools.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import GNUTranslations
from pathlib import Path

from django.utils.translation.template import templatize

from tests.rules.sources import name_of, read, tracked

APPS = ("packages/roomlog/roomlog", "services/api/roomlog_api")
WEB = "clients/web"
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"}
_IN_TEMPLATE = re.compile(r"""gettext\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\)""")
_IN_MODULE = re.compile(r"""\bgettext(?:_noop)?\(\s*("(?:[^"\\]|\\.)*")""")
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr)(?:\[(\d)\])? )?(".*")')


@dataclass
class Entry:
    """One text of a catalog and its translations, of which a text with a number has several."""

    english: str
    translations: list[str]
    is_fuzzy: bool


def said_to_django(app: str) -> set[str]:
    """Return the texts of an app's Python files and templates."""
    python = [path for path in tracked(app) if path.endswith(".py")]
    templates = [path for path in tracked(app) if path.endswith(".html")]
    found = {text for path in python for text in _in_python(read(path).tree)}
    for path in templates:
        found |= {ast.literal_eval(text) for text in _IN_TEMPLATE.findall(templatize(read(path).text))}
    return found


def said_by_the_browser() -> set[str]:
    """Return the texts of page and element."""
    modules = [read(path).text for path in tracked(WEB) if path.endswith(".js")]
    return {json.loads(text) for module in modules for text in _IN_MODULE.findall(module)}


def entries(path: Path) -> list[Entry]:
    """Return what a .po file holds, but for its head."""
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    return [_entry(block) for block in blocks][1:]


def compiled(path: Path) -> dict[str, list[str]]:
    """Return what a .mo file holds, but for its head: the translations of each text."""
    with path.open("rb") as file:
        catalog = GNUTranslations(file)._catalog  # type: ignore[attr-defined] # there is no other way to all of it
    found: dict[str, list[str]] = {}
    for key in sorted(catalog, key=str):
        english = key if isinstance(key, str) else key[0]
        found.setdefault(english, []).append(catalog[key])
    del found[""]
    return found


def _in_python(tree: ast.Module) -> Iterator[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node.func) in _CALLS]
    for call in calls:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def _entry(block: str) -> Entry:
    lines = block.splitlines()
    parts: list[tuple[str, str]] = []
    for line in lines:
        if match := _LINE.fullmatch(line):
            kind, _, quoted = match.groups()
            text = ast.literal_eval(quoted)
            if kind:
                parts.append((kind, text))
            else:
                parts[-1] = (parts[-1][0], parts[-1][1] + text)
    (english,) = [text for kind, text in parts if kind == "msgid"]
    translations = [text for kind, text in parts if kind == "msgstr"]
    return Entry(english, translations, any(line.startswith("#,") and "fuzzy" in line for line in lines))
