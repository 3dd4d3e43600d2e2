"""What the fuzzer sends: good frames, frames with one wrong value, damaged ones, any JSON, any text.

Beside the message's way. Structure-aware: most draws get past the first check, so that the later ones are
reached too.
"""

import json
from typing import Any

from hypothesis import strategies as st

from roomlog_contract import limits
from tests.abuse.fuzz.reference import RULES

HEX = "00112233445566778899aabbccddeeff"
DASHED = "00112233-4455-6677-8899-AABBCCDDEEFF"
EDGES = [0, -1, 1, 100, 101, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**63, 2**64, 10**30]
KEYS = sorted({name for rules in RULES.values() for name in rules} | {"uuid", "action", "x", ""})

characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
odd_texts = st.sampled_from(
    ["", " ", "\u2003", "\0", "\ud800", "\udfff\ud800", "a" * 64, "a" * 65, "\U0001f600" * 64]
)
numbers = st.integers() | st.sampled_from(EDGES) | st.floats() | st.just(1.0)
leaves = st.none() | st.booleans() | numbers | characters | odd_texts | st.sampled_from([HEX, DASHED, *RULES])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*KEYS, HEX, DASHED, "epoch", "seq"]) | characters, inner, max_size=4
        )
    ),
    max_leaves=12,
)

rooms = st.uuids().flatmap(lambda room: st.sampled_from([room.hex, str(room), room.hex.upper()]))
seqs = st.integers(0, 2**53 - 1) | st.sampled_from([0, 2**53 - 1])
users = st.integers(1, 2**53 - 1)
cursors = st.fixed_dictionaries({"epoch": st.sampled_from(["", HEX]), "seq": seqs})
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "uuid": words,
    "token": words,
    "ticket": words,
    "cursors": st.dictionaries(rooms, cursors, max_size=3),
    "room": rooms,
    "since": cursors | st.none(),
    "text": words
    | st.sampled_from([" ", "x" * limits.TEXT_CODE_POINTS, "\u00e4" * (limits.TEXT_CODE_POINTS + 1)]),
    "reply_to": users | st.none(),
    "message": users,
    "emoji": st.sampled_from(
        ["👍", "1\ufe0f\u20e3", "👩\u200d🚀", "\u2139", "©", "\u202e", "\ufe0f", "#", "ä"]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=17),
    "before": seqs | st.none(),
    "after": seqs | st.none(),
    "limit": st.integers(1, 100),
    "seq": seqs,
    "name": words,
    "topic": words | st.sampled_from(["", "x" * 250, "\u00e4" * 251]),
    "discoverable": st.booleans(),
    "invitation": words | st.sampled_from([None, "", "x" * 64, "\u00e4" * 65]),
    "receipts": st.booleans(),
    "kind": st.sampled_from(["group", "direct"]),
    "members": st.lists(users, max_size=5) | st.just([7] * 101),
    "mentions": st.lists(users, max_size=5) | st.just([7] * 21),
    "mentions_room": st.booleans() | st.just("true"),
    "attachments": st.lists(rooms, max_size=3) | st.just([HEX] * 2) | st.just([HEX] * 11),
    "rooms": st.lists(rooms, max_size=3) | st.just([HEX] * 8) | st.just([HEX] * 9),
    "user": users,
    "notify": st.sampled_from(["all", "mentions", "none", "some"]),
    "reason": st.sampled_from(["spam", "abuse", "other", "dull"]),
    "comment": words | st.sampled_from(["", "x" * 500, "\u00e4" * 501]),
    "role": st.sampled_from(["reader", "member", "admin", "owner"]),
    "until": st.sampled_from([None, 1, 253_402_214_399, 253_402_214_400]) | users,
}


def _good(action: str) -> st.SearchStrategy[dict[str, Any]]:
    rules = RULES[action]
    must = {name: GOOD[name] for name, (presence, _) in rules.items() if presence == "required"}
    may = {name: GOOD[name] for name in rules if name not in must}
    return st.fixed_dictionaries({"uuid": words, "action": st.just(action), **must}, optional=may)


good_commands = st.sampled_from(sorted(RULES)).flatmap(_good)


@st.composite
def _with_one_wrong(draw: st.DrawFn) -> dict[str, Any]:
    """Return a good command with one key changed, added or taken away."""
    keys = dict(draw(good_commands))
    name = draw(st.sampled_from([*keys, *keys, *KEYS]))
    if name in keys and draw(st.booleans()):
        del keys[name]
    else:
        keys[name] = draw(values)
    return keys


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """Return a frame with a piece cut out, doubled or replaced."""
    text = json.dumps(draw(good_commands | _with_one_wrong()))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 12)))
    pieces = st.text('{}[]",:\\ud8001234567890.eE+-nulltrefasNI \t\n\0', max_size=8) | st.just(
        text[start:end] * 2
    )
    return text[:start] + draw(pieces) + text[end:]


@st.composite
def _doubled_key(draw: st.DrawFn) -> str:
    """Return a frame in which one key stands twice."""
    keys = draw(good_commands)
    name = draw(st.sampled_from(sorted(keys)))
    text = json.dumps(keys)
    return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(draw(st.just(keys[name]) | leaves))}}}"


@st.composite
def _nested(draw: st.DrawFn) -> str:
    """Return a frame that nests about as deep as is allowed."""
    levels = draw(st.integers(12, 20))
    inner = draw(st.sampled_from(["1", '"]["', '"\\"["', ""]))
    kinds = draw(st.lists(st.sampled_from([("[", "]"), ('{"x":', "}")]), min_size=levels, max_size=levels))
    value = (
        "".join(kind[0] for kind in kinds) + (inner or "null") + "".join(kind[1] for kind in reversed(kinds))
    )
    return f'{{"uuid": "u", "action": "ping", "x": {value}}}'


@st.composite
def _from_bytes(draw: st.DrawFn) -> str:
    """Return text of any bytes that are UTF-8; others never reach the codec (1007)."""
    return draw(st.binary(max_size=200)).decode(errors="ignore")


dumped = (good_commands | _with_one_wrong() | _with_one_wrong() | values).flatmap(
    lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)])
)
rubbish = st.text('{}[]",:\\ud8001234567890.eE+-nulltrefasNI \t\n\0', max_size=120)
texts = dumped | _damaged() | _doubled_key() | _nested() | _from_bytes() | rubbish
frames = texts.filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text))
"""Any of it, as text that can arrive: half a surrogate pair has no UTF-8, but may be escaped."""
