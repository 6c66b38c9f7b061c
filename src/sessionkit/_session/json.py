"""The serializers, and the check that a session is JSON within limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, cast

from ..errors import ConfigurationError, SerializationError
from . import base64url
from .json_errors import DEEPEST, INT_MAX, find_culprit
from .snapshot import OPAQUE, plain, take_snapshot
from .tags import MARK, Tags

__all__ = [
    "JSON",
    "Serializer",
    "check",
    "fast_json",
    "freeze",
    "is_finite",
    "is_shallow",
    "rewrite",
]

DEEPEST_READ = 100
"""The most levels of nesting of a session that another library wrote: more than it needs, and few enough for any stack."""

MANY = 64
SAFE_INTEGER = 2**53 - 1
"""JavaScript rounds larger integers (RFC 8259 section 6): user 9007199254740993 would come back as another user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serializer:
    """Functions that turn sessions into bytes and back. Contents are checked to be JSON before `dumps` sees them.

    Args:
        dumps: a JSON value to UTF-8 bytes, compact.
        loads: UTF-8 bytes to the value; raises ValueError for anything else.
        b64encode: bytes to base64url without padding.
        b64decode: canonical base64url without padding to bytes; raises ValueError for any other text.
        strict: whether `dumps` raises TypeError for keys that are not str, for half a surrogate pair and for integers of more
            than 64 bits. If so, sessionkit checks less beforehand.
        tags: for adapters: how a framework's session object writes values that JSON does not have.

    Raises:
        ConfigurationError: `b64decode` accepts a text that it must refuse.
    """

    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes], Any]
    b64encode: Callable[[bytes], bytes] = base64url.encode
    b64decode: Callable[[bytes], bytes] = base64url.decode
    strict: bool = False
    tags: Tags | None = None

    def __post_init__(self) -> None:
        for text in base64url.NOT_CANONICAL:
            try:
                self.b64decode(text)
            except ValueError:
                continue
            raise ConfigurationError(
                f"b64decode of the serializer accepts {text!r}: it must raise ValueError for any text that is not canonical "
                "base64url without padding, or many texts would be the same token"
            )

    def tagging(self, tags: Tags) -> Serializer:
        """Return a serializer for sessions with values that JSON does not have.

        Args:
            tags: how these values are kept.
        """
        loads = self.loads

        def untagging(payload: bytes) -> Any:
            value = loads(payload)
            return tags.read(value) if MARK in payload else value

        return replace(self, loads=untagging, tags=tags)


_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_decode = json.JSONDecoder().raw_decode


def _dumps(value: Any) -> bytes:
    return _encode(value).encode()


def _loads(payload: bytes) -> Any:
    text = payload.decode()
    value, end = _decode(text)
    if end != len(text):
        raise ValueError("text after the JSON value")
    return value


JSON = Serializer(dumps=_dumps, loads=_loads)
"""The standard library's json and base64; the default."""


def fast_json() -> Serializer:
    """Return a serializer over orjson and pybase64, which the extra `sessionkit-core[speed]` installs.

    It reads the sessions that `JSON` has written, and `JSON` reads its sessions, so you can switch at any time.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        import orjson  # noqa: PLC0415  # the extra is asked for here and nowhere else
        import pybase64  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError(
            "fast_json() needs orjson and pybase64: pip install 'sessionkit-core[speed]'"
        ) from None

    def encode(data: bytes) -> bytes:
        return pybase64.b64encode(data, b"-_").rstrip(b"=")

    def decode(text: bytes) -> bytes:
        if b"+" in text or b"/" in text or not base64url.is_canonical(text):
            raise ValueError("not canonical base64url")
        # With `validate`, it is faster.
        return pybase64.b64decode(text + base64url.PADDING[len(text) % 4], b"-_", True)

    def loads(payload: bytes) -> Any:
        try:
            return orjson.loads(payload)
        except ValueError:
            return _loads(payload)  # half a surrogate pair, as JavaScript writes it

    return Serializer(
        dumps=orjson.dumps, loads=loads, b64encode=encode, b64decode=decode, strict=True
    )


def check(contents: dict[str, Any], *, largest: int = INT_MAX) -> None:
    """Raise unless a session is JSON and only JSON.

    Args:
        contents: the contents of the session.
        largest: the greatest absolute value of an integer; 2^53 - 1 if JavaScript reads the session too.

    Raises:
        SerializationError: a value is not JSON. The message names its path: `session["user"]["joined"]: datetime is not JSON`.
    """
    if not _is_json(contents, -largest - (largest == INT_MAX), largest):
        culprit = find_culprit(contents, largest)
        if culprit is not None:
            raise SerializationError(": ".join(culprit))


def is_shallow(value: object, levels: int = DEEPEST_READ) -> bool:
    """Return whether a JSON value has at most so many levels of nesting; does not recurse."""
    layer = [value]
    for _ in range(levels):
        layer = _list_containers(layer)
        if not layer:
            return True
    return False


def is_finite(value: object) -> bool:
    """Return whether a JSON value is free of NaN and infinity, which Python reads and JavaScript does not.

    The value may come from an application, and contain itself.
    """
    layer, known = [value], set[int]()
    while layer:
        if any(
            isinstance(item, float) and not isfinite(item) for one in layer for item in _items(one)
        ):
            return False
        known.update(map(id, layer))
        layer = [item for item in _list_containers(layer) if id(item) not in known]
    return True


def _list_containers(layer: list[object]) -> list[object]:
    """Return the objects and arrays one level deeper, each once: it may be in several places, and inside itself."""
    found: list[object] = [
        item for one in layer for item in _items(one) if isinstance(item, (dict, list))
    ]
    return list({id(item): item for item in found}.values()) if len(found) > 1 else found


def _items(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("Iterable[Any]", value) if isinstance(value, list) else ()


def rewrite(contents: dict[str, Any], serializer: Serializer) -> bytes:
    """Return the JSON of contents that came in a cookie, unchecked: another writer may have put in what `freeze` refuses."""
    if serializer.tags is not None:
        contents = serializer.tags.tag(contents)
    try:
        return serializer.dumps(contents)
    except (TypeError, ValueError):
        # Half a surrogate pair, which JavaScript cuts and writes as an escape; for orjson, an integer of more than 64 bits too.
        return json.dumps(contents, separators=(",", ":")).encode()


def freeze(
    contents: dict[str, Any], serializer: Serializer, largest: int = INT_MAX, snapshot: bytes = b""
) -> bytes:
    """Return the JSON of a session, checked.

    Args:
        contents: the contents of the session.
        serializer: writes them.
        largest: see `check`.
        snapshot: the snapshot of the contents, if there is one; then less is to be checked.

    Raises:
        SerializationError: see `check`.
    """
    if serializer.tags is not None:
        return _freeze_tagged(contents, serializer, serializer.tags, largest)
    if serializer.strict:
        snapshot = snapshot or take_snapshot(contents)
    opaque = snapshot.startswith(OPAQUE)
    if opaque or not (
        serializer.strict or _is_json(contents, -largest - (largest == INT_MAX), largest)
    ):
        check(contents, largest=largest)
    if opaque and serializer.strict:
        # orjson refuses a key of a subclass of str, and writes the value of an Enum; json writes the plain type.
        contents = plain(contents)
    try:
        payload = serializer.dumps(contents)
        if serializer.strict and not (
            opaque or (largest == INT_MAX and _is_surely_json(snapshot, payload))
        ):
            check(contents, largest=largest)
        return payload  # noqa: TRY300  # all three may raise
    except (TypeError, ValueError, RecursionError):
        # Lone surrogates are left to the encoder: a search in every string would cost more than all other checks.
        path, why = find_culprit(contents, largest) or ("session", "it is not JSON")
        raise SerializationError(f"{path}: {why}") from None


def _freeze_tagged(
    contents: dict[str, Any], serializer: Serializer, tags: Tags, largest: int
) -> bytes:
    tagged: dict[str, Any] = contents
    try:
        if _is_json(contents, -largest - (largest == INT_MAX), largest):
            payload = serializer.dumps(contents)
            if MARK not in payload:
                return payload
        tagged = plain(tags.tag(contents))
        check(tagged, largest=largest)
        return serializer.dumps(tagged)
    except Exception:  # noqa: BLE001  # a value's own methods may raise anything
        # The error names the path in the application's own contents if possible, else the path in the tagged JSON.
        path, why = (
            find_culprit(contents, largest, tags)
            or find_culprit(tagged, largest)
            or ("session", "it is not JSON")
        )
        raise SerializationError(f"{path}: {why}") from None


def _is_surely_json(snapshot: bytes, payload: bytes) -> bool:
    """Return whether the output of a strict encoder is certainly JSON within our limits; if False, check each value.

    marshal accepts the types of JSON, and a few other types that such an encoder refuses; it accepts no subclasses.

    Args:
        snapshot: the snapshot of the contents, which is not opaque.
        payload: what the encoder wrote; it has refused integers of more than 64 bits.
    """
    if (b"\x7f" in snapshot or b"\xff" in snapshot) and _has_endless(snapshot):
        return False
    # marshal writes 15 bits at a time. With five groups, an integer may have more than 64 bits.
    if b"\x05\0\0\0" in snapshot and (b"l\x05\0\0\0" in snapshot or b"\xec\x05\0\0\0" in snapshot):
        return False
    # `replace` jumps from bracket to bracket; `count` looks at each byte, and takes three times as long.
    others = len(payload.replace(b"{", b"")) + len(payload.replace(b"[", b""))
    brackets = 2 * len(payload) - others
    # Each level has a bracket. A bracket that closes before the next one opens adds no level.
    return brackets <= DEEPEST or brackets - payload.count(b"},{") <= DEEPEST


def _has_endless(snapshot: bytes) -> bool:
    """Return whether a snapshot may hold NaN or infinity, whose exponents are all ones (IEEE 754), as marshal writes them."""
    for last in (b"\x7f", b"\xff"):
        if snapshot.count(last) > MANY:
            return True  # in a text with many such bytes, checking each value is cheaper
        at = snapshot.find(last)
        while at >= 0:
            if snapshot[at - 1] >= 0xF0:
                return True
            at = snapshot.find(last, at + 1)
    return False


_kind: Callable[[object], Any] = type


def _is_json(contents: dict[str, Any], smallest: int, largest: int) -> bool:  # noqa: C901  # one walk
    """Return whether a session is certainly JSON, by a quick check. The encoder checks strings; `check` examines what fails here.

    Depth first, without recursion: a call for each object would cost more than all the comparisons.
    """
    try:
        "".join(contents)  # the cheap test for str keys
        inside = [iter(contents.values())]
        while inside:
            for item in inside[-1]:
                kind = _kind(item)
                if kind is str or kind is bool or item is None:
                    continue
                if kind is int:
                    if not smallest <= item <= largest:
                        return False
                elif kind is dict or kind is list:
                    if len(inside) == DEEPEST:
                        return False
                    if kind is dict:
                        "".join(item)
                        item = item.values()  # noqa: PLW2901  # what is looked at next
                    inside.append(iter(item))
                    break
                elif kind is not float or not isfinite(item):
                    return False
            else:
                inside.pop()
    except TypeError:
        return False
    return True
