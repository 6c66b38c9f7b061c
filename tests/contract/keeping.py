"""Where sessions are kept, and what a browser sees of that. No scenario says it again: it asks this table."""

from __future__ import annotations

from dataclasses import dataclass

NAME, SEEN, OUT = "__Host-session", "__Host-seen.session", "__Host-out.session"


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What follows from the place where a signed-in user's session is kept.

    A session without a user is always in a cookie. So is what a login says of the cookies of such a session.

    Attributes:
        changed: the cookies that an update sets.
        renewed: the cookies that a renewal sets.
        fence: the cookies that the end of a session sets, so that a late response cannot bring it back. A record that was
            deleted needs none.
        late_response_wins: whether a late response overwrites the cookie of the next login, so that nobody is signed in.
        of_4200: the cookies that hold a session of 4,200 bytes.
        too_large: more bytes than a session may have.
    """

    changed: frozenset[str]
    renewed: frozenset[str]
    fence: frozenset[str]
    late_response_wins: bool
    of_4200: frozenset[str]
    too_large: int


NONE: frozenset[str] = frozenset()

IN_COOKIES = Keeping(
    changed=frozenset({NAME}),
    renewed=frozenset({SEEN}),
    fence=frozenset({OUT}),
    late_response_wins=True,
    of_4200=frozenset({f"{NAME}.0", f"{NAME}.1"}),
    too_large=8_000,
)
ON_SERVER = Keeping(
    changed=NONE,
    renewed=NONE,
    fence=NONE,
    late_response_wins=False,
    of_4200=frozenset({NAME}),
    too_large=70_000,
)
