"""Real sessions of several stores, and whatever one likes sealed under the right key."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from typing import Any

from sessionkit import CookieSettings, KeyRing, SessionStore
from sessionkit._exchange.request import HeaderRequest

SECRET, OTHER_SECRET = (
    "a secret of the property tests, 0123456789",
    "quite another secret, 9876543210 abcdef",
)
NOW = 1_700_000_000
NAME = "__Host-session"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def store(secret: str = SECRET, *, now: float = NOW, **settings: Any) -> SessionStore:
    settings.setdefault("cookie", CookieSettings(max_bytes=30_000))
    return SessionStore(secret, clock=lambda: now, **settings)


def cookies(one: SessionStore, contents: dict[str, Any], header: str = "") -> list[tuple[str, str]]:
    """The cookies of a new session, its renewal and its fence, as (name, value)."""
    exchange = one.begin(HeaderRequest(header))
    exchange.create(contents)
    exchange.commit()
    lines = [
        value.partition(";")[0].partition("=")
        for name, value in exchange.response_headers
        if name == "Set-Cookie"
    ]
    return [(name, value) for name, _, value in lines if value]


def header_of(pairs: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}={value}" for name, value in pairs)


def token_of(header: str | bytes, payload: bytes) -> str:
    """A token with any protected header and plaintext, sealed as the store of `SECRET` would seal it now."""
    first = b64(header.encode() if isinstance(header, str) else header)
    cipher = KeyRing(SECRET).purpose("cookie", NAME).sealing(NOW)
    nonce = os.urandom(12)
    body = cipher.encrypt(nonce, payload, first.encode())
    return f"{first}..{b64(nonce)}.{b64(body[:-16])}.{b64(body[-16:])}"


def members(**changed: Any) -> dict[str, Any]:
    """The members of a header of ours, in order."""
    kid = f"{KeyRing(SECRET).ids[0]}.{NOW // 3600}"
    return {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": kid,
        "sid": "A" * 22,
        "iat": NOW,
        "uat": NOW,
        "exp": NOW + 600,
        **changed,
    }


def compact(header: dict[str, Any]) -> str:
    return json.dumps(header, separators=(",", ":"))


def accepted(one: SessionStore, header: str) -> dict[str, Any]:
    """What a request with these cookies shows of a session, anonymous ones included; empty when there is none."""
    return dict(one.begin(HeaderRequest(header)).contents)
