"""Splits texts and searches into words, the same way on every database, whatever its locale.

Pure. Letters and digits count, in any case; accents are kept, and no word is reduced to its stem. Scripts
without spaces between words are split into single signs: a search for several finds them side by side.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

LONGEST_WORD: Final = 100
"""Code points; the rest of a longer word does not count. PostgreSQL takes 2 KiB at most."""
LAST_POSITION: Final = 16_383
"""PostgreSQL knows no later one; no message has so many words."""
_UNSPACED: Final = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Chinese
    "\uac00-\ud7af"  # Korean, whose words carry their particles
)
_WORD: Final = re.compile(rf"(?!_)[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_WANTED: Final = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side, in order."""

    words: tuple[str, ...]
    is_beginning: bool = False
    """Of the last word only the beginning is given."""

    def is_in(self, words: Sequence[str]) -> bool:
        """Tell whether a text of these words has it."""
        *whole, last = self.words
        for at in range(len(words) - len(whole)):
            if words[at : at + len(whole)] == whole:
                found = words[at + len(whole)]
                if found == last or (self.is_beginning and found.startswith(last)):
                    return True
        return False


def words_of(text: str) -> list[str]:
    """Return a text's words as they are compared, in order."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(normalize("NFKC", text).casefold())]


def phrases_of(search: str) -> list[Phrase]:
    """Return what a message must hold, all of it: `word`, `begin*`, `"two words"`. Empty without a word."""
    found = []
    for quoted, star, bare in _WANTED.findall(search):
        if words := words_of(quoted or bare):
            found.append(Phrase(tuple(words), bool(star) or bare.endswith("*")))
    return found


def words_apart(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Return phrases of one word each: a text that has the given ones has these too."""
    return [
        Phrase((word,), phrase.is_beginning and place == len(phrase.words))
        for phrase in phrases
        for place, word in enumerate(phrase.words, 1)
    ]


def as_tsvector(words: Sequence[str]) -> str:
    """Return the words as text of PostgreSQL's type."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words, 1):
        places[word].append(min(place, LAST_POSITION))
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())


def as_tsquery(phrases: Sequence[Phrase]) -> str:
    """Return what is looked for as text of PostgreSQL's type."""
    return " & ".join(f"({' <-> '.join(_lexemes(phrase))})" for phrase in phrases)


def _lexemes(phrase: Phrase) -> list[str]:
    *whole, last = phrase.words
    return [*(f"'{word}'" for word in whole), f"'{last}'{':*' if phrase.is_beginning else ''}"]


def as_fts5(phrases: Sequence[Phrase]) -> str:
    """Return what is looked for as an expression of SQLite's FTS5."""
    return " AND ".join(
        f'"{" ".join(phrase.words)}"{" *" if phrase.is_beginning else ""}' for phrase in phrases
    )
