"""What counts as an emoji below a message: checked as a command is read, without a list of them all."""

from typing import Final
from unicodedata import category

from .errors import ErrorCode, RefusedCommand

_FIRST_EMOJI: Final = "\u00a9"
"""©, the first code point of all that are emoji without another's help."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
"""Categories of controls, formats and surrogates."""
_JOINERS: Final = "\u200d" + "".join(map(chr, range(0xE0020, 0xE0080)))
"""What makes one emoji of several: the joiner, and the tags of flags."""
_INFORMATION: Final = "\u2139"
"""The sign of information, an emoji that counts as a letter."""


def check_emoji(emoji: str) -> None:
    """Refuse words, not what is no emoji: which ones there are, each release of Unicode tells anew.

    Raises:
        RefusedCommand: it is no emoji.
    """
    parts = [one for one in emoji if one not in _JOINERS]
    is_text = any(
        one.isspace() or (category(one)[0] in "LZ" and one != _INFORMATION) or category(one) in _UNSEEN
        for one in parts
    )
    if is_text or not any(one >= _FIRST_EMOJI and category(one) != "Mn" for one in parts):
        raise RefusedCommand(ErrorCode.BAD_VALUE, "`emoji` is not an emoji.")
