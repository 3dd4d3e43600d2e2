"""An operator's commands: what they do, print and refuse."""

import pytest

from roomlog.models import Install
from roomlog_api.__main__ import USAGE, main

pytestmark = pytest.mark.django_db


def test_a_new_epoch_is_another_one_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The install has it, and whoever ran the command can compare."""
    before = Install.objects.get().epoch
    assert main(["new-epoch"]) == 0
    after = Install.objects.get().epoch
    assert after != before
    assert len(after) == 16
    assert f"epoch {after} for 0 rooms" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["erase", "export"])
def test_people_s_words_are_erased_and_exported(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside a project's own commands the two are called `roomlog erase` and `roomlog export`."""
    with pytest.raises(SystemExit):
        main([name, "--person", "0"])
    assert "There is no such person" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["migrate"], ["--help"]])
def test_anything_else_is_told_what_there_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """These are an operator's commands, not all of Django's."""
    assert main(words) == 2
    assert USAGE in capsys.readouterr().err
