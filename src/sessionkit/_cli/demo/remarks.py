"""The remarks of the demo on changes and refusals, for sessions in cookies and for sessions on the server."""

from __future__ import annotations

from dataclasses import dataclass

from ..._session.session import Absence

__all__ = ["IN_COOKIES", "ON_SERVER", "UNCHANGED", "explain"]

UNCHANGED = "update_session: the contents are as before, so there is nothing to save."


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """A remark for each change. `step` is the number of characters that a session grows by.

    `chunks` takes the place of `grow` if the response sets chunks, and `unchunk` that of `shrink` if it clears some.
    """

    step: int
    sign_in: str
    note: str
    grow: str
    chunks: str
    shrink: str
    unchunk: str
    touch: str
    rotate: str
    sign_out: str


IN_COOKIES = Remarks(
    # After two steps a session is larger than one cookie, after four it is too large.
    step=1600,
    sign_in="create_session: a new id, a new creation time, exactly these contents.",
    note="update_session: new contents, sealed anew under the same id.",
    grow="update_session: the session is larger, and still fits into one cookie. The next step makes chunks.",
    chunks="update_session: the token is too long for one cookie of 4,096 bytes, so it is cut into numbered chunks.",
    shrink="update_session: the session is smaller.",
    unchunk="update_session: the session fits into one cookie again, and the chunks are cleared.",
    touch="touch_session: one small cookie moves the idle expiry; the session itself is not sent.",
    rotate="rotate_session: the same contents under a new id; the mark of the old one is in the fence.",
    sign_out="delete_session: every cookie of it is cleared, and a late response cannot bring it back.",
)

ON_SERVER = Remarks(
    # After three steps a session is larger than all cookies may be, after four it is too large for a record.
    step=20_000,
    sign_in="create_session: a new record on the server, and a cookie that points to it.",
    note="update_session: the record has new contents. The cookie stays, so none is set.",
    grow="update_session: the record grows, to 64 kB at most. The cookie stays as it is.",
    chunks="",
    shrink="update_session: the record is smaller. The cookie stays as it is.",
    unchunk="",
    touch="touch_session: the record's idle expiry moves. No cookie is set.",
    rotate="rotate_session: the same contents under a new id. The old cookie points to nothing.",
    sign_out="delete_session: the record is gone, so a copy of the cookie is worth nothing.",
)

_WHY = {
    Absence.BAD_TAG: "The tag is a checksum that only the server can compute. It does not fit: somebody has changed the cookie.",
    Absence.UNKNOWN_KEY: "The cookie was sealed with another secret. The demo makes a new one each time it starts.",
    Absence.LOGGED_OUT: "The cookie itself is in order. But the fence, the cookie that a logout leaves, names its session as ended.",
    Absence.IDLE: "Nobody used the session for as long as the idle limit.",
    Absence.ABSOLUTE: "The absolute limit ends a session however often it is used.",
    Absence.UNKNOWN_RECORD: "The cookie is in order, but the server no longer has the session that it points to.",
}


def explain(event: str) -> str:
    """Return an explanation of an event; an empty text if a visitor of the demo cannot cause it."""
    return next((why for reason, why in _WHY.items() if event.endswith(f": {reason.value}")), "")
