"""Random sessions, and the JSON text that JavaScript and Python write alike."""

from __future__ import annotations

import json
from random import Random
from typing import Any

SAFE = 2**53 - 1  # the largest integer that JavaScript does not round
SMALLEST, LARGEST = 100, 12_000  # bytes of a session's JSON

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 -_.:/@+=",
    "éüßñåøžłőğ ÀÉÎÕÜ",
    "日本語한국어中文字符",
    "🐴🎉👩‍👩‍👧‍👦𝒜𐍈🇪🇺",
    "العربيةעברית",
    "\"\\/<>&'`{}[],:;%*~",
    "\x00\x01\x1f\b\f\n\r\t\x7f\x80\x85\xa0\u2028\u2029\ufeff\uffff",
)


def text(value: Any) -> str:
    """The JSON text that JSON.stringify writes of the same value: keys in order, no blanks, no escapes but the needed ones."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def canonical(value: Any) -> str:
    """The JSON text with the keys of every object sorted, for a library that puts them into an order of its own."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def sizes(random: Random, count: int) -> list[int]:
    """Sizes from 0.1 to 12 kB, both ends among them: half of them small (most sessions are), half anywhere."""
    spread = [
        int(SMALLEST * (LARGEST / SMALLEST) ** random.random())
        if n % 2
        else random.randint(SMALLEST, LARGEST)
        for n in range(count - 2)
    ]
    found = [SMALLEST, LARGEST, *spread]
    random.shuffle(found)
    return found


def filled(random: Random, core: dict[str, Any], size: int) -> dict[str, Any]:
    """The core with random contents beside it, so that its JSON has about `size` bytes (never more than 12 kB)."""
    session = dict(core)
    left = min(size, LARGEST) - len(text(session).encode())
    while left > 24:
        key = f"{_string(random, random.randint(1, 8))}#{len(session)}"  # never a number: JavaScript moves such keys to the front
        value = _value(random, min(left - 24, 1500), 5)
        used = len(text({key: value}).encode())
        if used > left:
            key, value = f"k#{len(session)}", _ascii(random, left - 12)
            used = left
        session[key] = value
        left -= used - 1  # without the braces, with the comma
    return session


def _value(random: Random, budget: int, levels: int) -> Any:
    kinds = 9 if levels and budget > 40 else 6
    match random.randrange(kinds):
        case 0:
            return random.choice((True, False, None))
        case 1:
            return random.choice(
                (0, -1, SAFE, -SAFE, random.randint(-SAFE, SAFE), random.randint(-1000, 1000))
            )
        case 2:
            # Between 1e-4 and 1e15, and no whole number: beyond, the two languages spell one float differently.
            return random.choice((-1, 1)) * (
                random.randint(1, 10**9)
                + random.choice((0.5, 0.1, 0.015625, random.uniform(0.001, 0.999)))
            )
        case 3 | 4:
            return _string(random, random.randint(0, max(1, budget // 8)))
        case 5:
            return _ascii(random, random.randint(0, max(1, budget)))
        case 6:
            return [_value(random, budget // 4, levels - 1) for _ in range(random.randint(0, 4))]
        case _:
            return {
                f"{_string(random, 3)}~{n}": _value(random, budget // 4, levels - 1)
                for n in range(random.randint(0, 4))
            }


def _string(random: Random, length: int) -> str:
    alphabet = random.choice(ALPHABETS)
    return "".join(random.choice(alphabet) for _ in range(length))


def _ascii(random: Random, length: int) -> str:
    return "".join(random.choice(ALPHABETS[0]) for _ in range(length))
