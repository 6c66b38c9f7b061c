"""Which format a cookie looks like, told without any secret: for the eye, and never a reason to trust it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from .._cookies.header import pairs
from ._framing import CBC, GCM
from ._protocols import Format
from .auth0_fastapi import Auth0FastAPI
from .auth0_v3 import FRAMING as TIMED
from .auth0_v3 import Auth0V3
from .auth0_v4 import Auth0V4
from .authjs_v5 import FRAMING as NAMED
from .authjs_v5 import AuthJSV5
from .django_cookie import GRAMMAR as DJANGO
from .express_openid import ExpressOpenID
from .flask_cookie import GRAMMAR as FLASK
from .iron_session import BEGINNING as IRON
from .nextauth_v4 import NextAuthV4
from .starlette_cookie import GRAMMAR as STARLETTE

__all__ = ["looks_like", "recognize", "shared_format"]

NATIVE = replace(GCM, members=frozenset({"kid", "sid", "iat", "uat", "exp"}))
WITH_END = replace(NATIVE, members=NATIVE.members | {"end"})
NUMBERED = re.compile(r"(\.|__?)[0-9]+\Z")
SIGNED_ID = re.compile(r"[^.;\s]+\.[A-Za-z0-9_-]{43}")


def looks_like(name: str, value: str) -> str | None:
    """The format that a cookie's value looks like; its name helps where two formats have one grammar.

    Args:
        name: of the cookie, with the number of a first chunk.
        value: of the cookie, or the beginning of it.
    """
    first = value.partition(".")[0]
    if NATIVE.header(first) is not None or WITH_END.header(first) is not None:
        return "sessionkit"
    if NAMED.header(first) is not None:
        return "Auth.js v5"
    if CBC.header(first) is not None:
        return "auth0-fastapi"
    timed = TIMED.header(first)
    if timed is not None:
        return (
            "express-openid-connect"
            if [*timed].index("iat") < [*timed].index("uat")
            else "nextjs-auth0 v1-v3"
        )
    plain = GCM.header(first)
    if plain is not None:
        return (
            "next-auth v4"
            if "next-auth" in name or next(iter(plain)) == "alg"
            else "nextjs-auth0 v4"
        )
    if SIGNED_ID.fullmatch(value) and NUMBERED.search(name):
        return None  # the end of a token, in its last chunk
    return " or ".join(title for title, matches in _SIGNED.items() if matches(value)) or None


_SHARED: dict[str, Format] = {
    one.traits.title: one
    for one in (Auth0V3(), ExpressOpenID(), Auth0V4(), Auth0FastAPI(), NextAuthV4(), AuthJSV5())
}

_SIGNED: dict[str, Callable[[str], object]] = {
    "iron-session": IRON.match,
    "Django signed_cookies": DJANGO.fullmatch,
    "Flask": FLASK.fullmatch,
    "Starlette": STARLETTE.fullmatch,
    "signed session id of nextjs-auth0 or express-openid-connect": SIGNED_ID.fullmatch,
}


def shared_format(header: str) -> tuple[Format, str] | None:
    """The format in which a Cookie header looks like holding a session that other libraries share, and the cookie's name.

    None for what only looks like ours, or can only be imported.
    """
    found = recognize(header)
    if "sessionkit" in found.values():
        return None
    shared = [
        (_SHARED[title], NUMBERED.sub("", name))
        for name, title in found.items()
        if title in _SHARED
    ]
    # Other cookies of a library may look like its session: the usual name tells.
    usual = [
        one
        for one in shared
        if one[1]
        in (
            one[0].cookie_name(host_only=True, secure=True),
            one[0].cookie_name(host_only=False, secure=False),
        )
    ]
    return next(iter((*usual, *shared)), None)


def recognize(header: str) -> dict[str, str]:
    """Which cookies of a Cookie header look like sessions, and of what."""
    found = {name: looks_like(name, value) for name, value in pairs(header, "")}
    return {name: title for name, title in found.items() if title is not None}
