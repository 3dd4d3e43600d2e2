"""From a client's text frame to a command, and from structs to frames. First stage of a message's way.

One strict parse: Python's scanner with hooks that refuse what the JSON grammar or PostgreSQL refuses
and what two parsers could read differently; then msgspec checks types. Nothing behind this is a dict. The
plainest messages, which leave nothing to differ about, are read by msgspec alone.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from . import limits
from .actions import COMMANDS
from .commands import ClientCommand, NewMessage, Ping
from .errors import ErrorCode, MalformedFrame, RefusedCommand

_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string, closed or not. Possessive: every character is read once, whatever a client sends; backtracking
here was 11 s of processor for one frame of 60 KB."""
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_MARKS: Final = ",:[{"
"""What separates and opens values; a frame costs as much to parse as it has of them."""
_INTEGER_CHARACTERS: Final = 17
"""A sign and the 16 digits of 2^53; longer ones are not even converted."""
_SENTENCE_CHARACTERS: Final = 200
"""Longest error message: enough for the path to the value, not for sending a frame back."""
_OUT_OF_RANGE: Final = object()
"""Stands where a number was that not every client reads alike; no field accepts it."""
_PLAIN_QUOTES: Final = 16
"""Around the four names and values of a plain message: a name twice, or a further one, would have more."""
_encoder: Final = msgspec.json.Encoder(uuid_format="hex")
_plain: Final = msgspec.json.Decoder(NewMessage | Ping)
"""Two kinds, because msgspec asks for `action` only where it has to choose."""


class _Names(msgspec.Struct):
    uuid: str | None = None
    action: str | None = None


_names: Final = msgspec.json.Decoder(_Names)


class _Ambiguous(ValueError):
    """JSON by the letter, but two parsers could read two things."""


def encode_frame(frame: msgspec.Struct) -> bytes:
    """Return the UTF-8 JSON of an answer or event; room ids become 32 hex digits."""
    return _encoder.encode(frame)


def decode_command(text: str) -> ClientCommand:
    """Return the command of a client's frame.

    Raises:
        MalformedFrame: not JSON, not an object, a key twice, or nested deeper than 16.
        RefusedCommand: anything else that is wrong, with the code of its error answer.
    """
    return _decode_plain(text) or command_of(parse_object(text), has_escapes="\\u" in text)


def names_of(text: str) -> tuple[str | None, str | None]:
    """Return uuid and action of a frame that is refused unread; None for what can't be read cheaply."""
    try:
        names = _names.decode(text)
    except (ValueError, RecursionError):
        return None, None
    return (
        names.uuid if _is_name(names.uuid) else None,
        names.action if _is_name(names.action) else None,
    )


def _decode_plain(text: str) -> NewMessage | None:
    """Return a good message of four strings without escapes; None where the strict parse must look.

    Without escapes quotes only delimit, msgspec refuses control characters as the grammar does, and all
    four strings are required: nothing is left that could be twice, nested or a number.
    """
    if "\\" in text or text.count('"') != _PLAIN_QUOTES:
        return None
    try:
        message = _plain.decode(text)
        if not isinstance(message, NewMessage):
            return None
        message.check()
    except (ValueError, RefusedCommand):  # msgspec's errors are values' too, and so is a lone surrogate
        return None
    return message


def command_of(keys: dict[str, Any], *, has_escapes: bool = True) -> ClientCommand:
    """Return the command that a parsed object says, by the same rules whichever door it came through.

    Only text with `\\u` in it can hold NUL or half a surrogate pair; without escapes nobody looks.

    Raises:
        RefusedCommand: something in it is wrong.
    """
    uuid, action = _identify(keys)
    struct = COMMANDS.get(action)
    if struct is None:
        raise RefusedCommand(ErrorCode.INVALID_ACTION, uuid=uuid, action=action)
    if has_escapes and not _is_storable(keys):
        raise RefusedCommand(
            ErrorCode.BAD_VALUE, "Text contains NUL or half a surrogate pair.", uuid=uuid, action=action
        )
    try:
        command = msgspec.convert(keys, struct).normalized()
        command.check()
    except msgspec.ValidationError as error:
        # The sentence may quote the client's own words, so only its beginning is msgspec's.
        sentence = str(error)[:_SENTENCE_CHARACTERS]
        is_missing = sentence.startswith("Object missing required field")
        code = ErrorCode.REQUIRED_KEYS if is_missing else ErrorCode.BAD_VALUE
        raise RefusedCommand(code, sentence, uuid=uuid, action=action) from None
    except RefusedCommand as refused:
        raise RefusedCommand(refused.code, refused.message, uuid=uuid, action=action) from None
    return cast(ClientCommand, command)


def parse_object(text: str) -> dict[str, Any]:
    """Return the keys of a JSON object that every parser reads alike.

    A number that not every client reads alike is replaced by an object that no field accepts.

    Raises:
        MalformedFrame: not JSON, not an object, a key twice, nested deeper than 16, or too many values.
    """
    _check_shape(text)
    try:
        keys = _scanner.decode(text)
    except _Ambiguous as error:
        raise MalformedFrame(str(error)) from None
    except (ValueError, RecursionError):
        raise MalformedFrame("not JSON") from None
    if not isinstance(keys, dict):
        raise MalformedFrame("not a JSON object")
    return keys


def data_text(data: Mapping[str, Any]) -> str:
    """Return an object that goes with a message as JSON: one text for each content.

    Raises:
        RefusedCommand: not every client would read it alike, it can't be stored, or it is too long.
    """
    try:
        text = json.dumps(
            dict(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        keys = parse_object(text)
        _encoder.encode(keys)  # fails where a number stood that not every client reads alike
        is_good = _is_storable(keys)
    except (TypeError, ValueError, RecursionError, MalformedFrame):
        is_good = False
    if not is_good or len(text.encode()) > limits.MESSAGE_DATA_BYTES:
        raise RefusedCommand(ErrorCode.BAD_VALUE, "`data` is not a JSON object of at most 4 KiB.")
    return text


def _check_shape(text: str) -> None:
    """Refuse what is too much to parse before it is parsed; counting costs a hundredth of it."""
    if _marks(text) > limits.JSON_MARKS and _marks(_STRING.sub("", text)) > limits.JSON_MARKS:
        raise MalformedFrame("more than 4,096 commas, colons and brackets")
    if text.count("[") + text.count("{") > limits.JSON_DEPTH and _depth(text) > limits.JSON_DEPTH:
        raise MalformedFrame("nested deeper than 16")


def _marks(text: str) -> int:
    return sum(map(text.count, _MARKS))


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _integer(digits: str) -> object:
    if len(digits) > _INTEGER_CHARACTERS or abs(int(digits)) > limits.EXACT_INTEGER:
        return _OUT_OF_RANGE
    return int(digits)


def _fraction(digits: str) -> object:
    number = float(digits)
    return number if math.isfinite(number) else _OUT_OF_RANGE


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON (RFC 8259 section 6)")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise _Ambiguous("duplicate key in an object")
    return keys


_scanner: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant
)


def _identify(keys: dict[str, Any]) -> tuple[str, str]:
    """Return uuid and action, both strings that can be echoed."""
    for key in ("uuid", "action"):
        if key not in keys:
            raise RefusedCommand(ErrorCode.REQUIRED_KEYS, f"`{key}` is missing.", close=True)
    uuid = keys["uuid"]
    if not _is_name(uuid):
        raise RefusedCommand(ErrorCode.BAD_VALUE, "`uuid` is not a string of 1 to 64 code points.")
    action = keys["action"]
    if not _is_name(action):
        raise RefusedCommand(
            ErrorCode.BAD_VALUE, "`action` is not a string of 1 to 64 code points.", uuid=uuid
        )
    return uuid, action


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= limits.UUID_CODE_POINTS and _is_storable(value)


def _is_storable(value: object) -> bool:
    """Tell whether every string within can be stored by PostgreSQL and encoded as UTF-8."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_is_storable(key) and _is_storable(item) for key, item in value.items())
    return not isinstance(value, list) or all(map(_is_storable, value))
