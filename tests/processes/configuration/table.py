"""docs/configuration.md as data: its tables and the users of Redis."""

import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[3] / "docs" / "configuration.md"


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head; code marks are taken off."""
    section = re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{title}\n")]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [[cell.strip().replace("\\|", "|") for cell in several] for several in cells]


def variables() -> dict[str, set[str]]:
    """Return who reads each variable."""
    return {name.strip("`"): set(services.split(", ")) for name, services, *_ in rows("Variables")}


def refused() -> list[tuple[str, str, str, str]]:
    """Return variable, value, service and sentence, one for each service."""
    return [
        (name.strip("`"), value.strip("`"), service, sentence)
        for name, value, services, sentence in rows("What is refused")
        for service in services.split(", ")
    ]


def redis_users() -> dict[str, list[str]]:
    """Return the rules of each service's user, its password left out."""
    lines = re.findall(r"^user (\w+) on >password (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: rules.split() for name, rules in lines}


def cluster_users() -> dict[str, list[str]]:
    """Return the same of a Redis Cluster."""
    also = {name: rights.strip("`").split() for name, rights in rows("Users of a Cluster")}
    return {name: [*rules, *also[name]] for name, rules in redis_users().items()}
