"""The fence: a cookie with the marks of ended sessions. `_exchange/reading.py` checks it, `_exchange/writing.py` writes it.

It is a race guard for one browser, not revocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice, zip_longest

from .._session.base64url import encode
from .._session.lifetime import FOUR_HUNDRED_DAYS, Lifetime

__all__ = ["mark", "max_age", "read", "render"]

LABEL = "out."
WRITTEN = 8
READ = 32
MARK = 22
_MARK = re.compile(r"[A-Za-z0-9_-]{22}")


def mark(cookie_name: str, mark_id: str) -> str:
    """Return the mark of a session.

    A mark needs no key, so it remains valid when secrets are rotated. It is a digest, so it reveals nothing. An attacker who
    writes a mark can only cause the refusal of a session whose id they know.
    """
    digest = sha256(
        b"\0".join(
            (b"sessionkit fence 1", cookie_name.encode(), mark_id.encode("utf-8", "surrogatepass"))
        )
    ).digest()
    return encode(digest)[:22].decode()


def read(values: Iterable[str]) -> tuple[str, ...]:
    """Return the marks of all fence cookies of a request, in order and without doubles. Text that is not a mark is skipped."""
    each = [
        [part for part in value.split(".", READ + 1)[:READ] if _MARK.fullmatch(part)]
        for value in values
        if len(value) >= MARK
    ]
    # Read round-robin, so that a cookie with many marks, planted by a sibling host, does not crowd out our own.
    marks = (part for row in zip_longest(*each) for part in row if part is not None)
    return tuple(islice(dict.fromkeys(marks), READ))


def render(new: Sequence[str], known: Sequence[str], link: str = "") -> str:
    """Return the value of the fence with new marks before the known ones. The link of a barrier stands before all marks."""
    marks = list(dict.fromkeys((*new, *known)))[:WRITTEN]
    return ".".join((link, *marks) if link else marks)


def max_age(lifetime: Lifetime) -> int:
    """Return the seconds for which a mark must be kept: as long as a late response could bring its session back.

    Args:
        lifetime: the store's lifetime, or a named one.
    """
    longest = lifetime.absolute if lifetime.absolute is not None else (lifetime.idle or 0) + 3600
    return min(longest, FOUR_HUNDRED_DAYS)
