"""The session that is measured, the cookies around it, and the stores that seal it."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from typing import Any

from sessionkit import CookieSettings, Lifetime, SessionStore, fast_json

SECRET = os.environ.setdefault("BENCH_SECRET", os.urandom(32).hex())
"""In the environment, for workers and servers that are started from here."""

OTHER_COOKIES = (
    "_ga=GA1.2.1234567890.1700000000",
    "csrftoken=zIvcSvzbHuTn5cTb6lUqvTVz",
    "theme=dark",
)
"""Three that a browser sends beside the session's: the session's come last but one."""

OURS = ("json", "speed")
SIZE = 2000


def session_of(size: int = SIZE) -> dict[str, Any]:
    """Return a session as applications have them: claims, a token or two, and for the rest a list of small objects.

    The list is the dear part (json and every check walk through it); half of what a session of 2 kB has to spare
    is token, half is list.
    """
    user = {
        "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "iss": "https://example.eu.auth0.com/",
        "email": "ada@example.org",
        "name": "Ada Lovelace",
    }
    session: dict[str, Any] = {"user": user, "theme": "dark", "locale": "en-GB"}
    spare = size - len(json.dumps(session))
    if spare > 100:
        session["id_token"] = urlsafe_b64encode(os.urandom(spare * 3 // 8)).decode()
    items: list[dict[str, Any]] = []
    while len(json.dumps(session | {"cart": items})) < size:
        items.append(
            {
                "id": 1000 + len(items),
                "name": f"Item number {len(items)}",
                "price": 12.5,
                "gift": False,
                "note": None,
            }
        )
    return session | {"cart": items} if items else session


def store_of(way: str, **settings: Any) -> SessionStore:
    """Return the store of a way: `json` is the standard library's, `speed` is the extra of that name.

    No renewal falls due while it is measured.
    """
    serializer = {"serializer": fast_json()} if way == "speed" else {}
    return SessionStore(
        SECRET,
        cookie=CookieSettings(max_bytes=32_768),
        **{"lifetime": Lifetime(renew_after=12 * 3600), **serializer, **settings},
    )


def cookie_header(lines: list[str]) -> str:
    """Return what a browser sends back after these Set-Cookie lines, three other cookies among it."""
    pairs = [line.partition(";")[0] for line in lines]
    return "; ".join([*OTHER_COOKIES[:2], *pairs, OTHER_COOKIES[2]])
