"""Bounds are added up and shown with units, and the container's limit is read where there is one."""

from pathlib import Path

import pytest

from roomlog_runtime.memory import Share, container_limit, describe, in_units, total

SHARES = (Share("the process", 1024 * 1024), Share("connections", 2048, 100))


def test_the_sum_is_that_of_all_shares() -> None:
    """Each share counts as often as there is one."""
    assert total(SHARES) == 1024 * 1024 + 204_800
    lines = describe("a gateway", SHARES, 512 * 1024 * 1024)
    assert "1.2 MiB" in lines[-2]
    assert "limit 512.0 MiB" in lines[-1]
    assert "no limit" in describe("a gateway", SHARES, None)[-1]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1536, "1.5 KiB"), (3 * 1024**3, "3.0 GiB"), (1024**5, "1,024.0 TiB")],
)
def test_bytes_are_written_as_people_read_them(size: int, text: str) -> None:
    """Powers of 1,024, one digit behind the point."""
    assert in_units(size) == text


@pytest.mark.parametrize(
    ("version", "written", "limit"),
    [
        (2, "1048576\n", 1_048_576),
        (2, "max\n", None),
        (1, "1048576\n", 1_048_576),
        (1, "9223372036854771712\n", None),
        (0, "", None),
    ],
)
def test_the_containers_limit_is_its_control_groups(
    tmp_path: Path, version: int, written: str, limit: int | None
) -> None:
    """No file, "max" of version 2 and the largest number of version 1 mean that nobody set one."""
    paths = {2: tmp_path / "memory.max", 1: tmp_path / "memory.limit_in_bytes"}
    if version:
        paths[version].write_text(written)
    assert container_limit(paths.values()) == limit
