"""The golden cookies, and the formats and times that go with them."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessionkit import CookieSettings, Lifetime, SessionStore, anyone
from sessionkit._session.json import JSON
from sessionkit.formats import Auth0FastAPI, Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, NextAuthV4

VECTORS = Path(__file__).parents[2] / "vectors"
NOW = 1_700_000_000

AUTH0 = json.loads((VECTORS / "auth0.json").read_text())
OTHERS = json.loads((VECTORS / "others.json").read_text())

FORMATS = {
    "nextjs-auth0-v3-stateless": Auth0V3(),
    "express-openid-connect": ExpressOpenID(),
    "nextjs-auth0-v4-stateless": Auth0V4(),
    "auth0-fastapi-stateless": Auth0FastAPI(),
}


@dataclass
class Golden:
    """A cookie header of the real library, and what is in it."""

    id: str
    format: Any
    secret: Any
    header: str
    contents: dict[str, Any]
    now: float
    expires: int
    lines: list[str] = field(default_factory=list)
    lifetime: Lifetime = Lifetime()
    name: str | None = None
    cookie: dict[str, Any] = field(default_factory=dict)

    def store(self, now: float | None = None, **settings: Any) -> SessionStore:
        at = self.now if now is None else now
        cookie = CookieSettings(**{"name": self.name, "max_bytes": 32_768, **self.cookie})
        settings = {"lifetime": self.lifetime, "guard": anyone, **settings}
        return SessionStore(
            settings.pop("secret", self.secret),
            format=self.format,
            cookie=cookie,
            clock=lambda: at,
            **settings,
        )

    def codec(self) -> Any:
        name = self.name or self.format.cookie_name(host_only=True, secure=True)
        return self.format.codec(
            self.format.keys(self.secret),
            name=name,
            audience="",
            lifetime=self.lifetime,
            serializer=JSON,
        )

    @property
    def cookies(self) -> list[tuple[str, str]]:
        pairs = (piece.partition("=") for piece in self.header.split("; "))
        return [(name, value) for name, _, value in pairs if not name.startswith("__FC_")]

    @property
    def token(self) -> str:
        return "".join(value for _, value in self.cookies)


def _auth0() -> list[Golden]:
    found = []
    for one in AUTH0:
        if one["kind"] not in FORMATS:
            continue
        contents = one.get("payload_session") or one["payload"]
        contents = {key: value for key, value in contents.items() if key != "connectionTokenSets"}
        config = one.get("config") or {}
        lifetime = (
            Lifetime(idle=1000, absolute=None)
            if config.get("absoluteDuration") is False
            else Lifetime()
        )
        transient = bool(
            (config.get("cookie") or config.get("cookieOptions") or {}).get("transient")
        )
        found.append(
            Golden(
                id=f"{one['kind']} {one['name']}",
                format=FORMATS[one["kind"]],
                secret=one["secret"],
                header=one["cookie_header"],
                contents=contents,
                now=NOW,
                expires=NOW + (1000 if lifetime.absolute is None else 86_400),
                lines=one["set_cookie"],
                lifetime=lifetime,
                cookie={"transient": transient},
            )
        )
    return found


def _auth_js() -> list[Golden]:
    return [
        Golden(
            id=one["id"],
            format=AuthJSV5() if one["lib"] == "@auth/core" else NextAuthV4(),
            secret=one["secret"],
            header="; ".join(f"{name}={value}" for name, value in one["cookies"].items()),
            contents=one["expect"],
            now=1_795_435_028,
            expires=4_949_035_028,
            name=one["salt"] or "next-auth.session-token",
            lifetime=Lifetime(idle=3_153_600_000, absolute=None),
            cookie={"secure": False},
        )
        for one in OTHERS
        if one["format"].startswith("jwe") and "expect" in one
    ]


GOLDEN = [*_auth0(), *_auth_js()]
EXPIRED = [one for one in OTHERS if one.get("expect_error") == "expired"]
IRON = [one for one in OTHERS if one["format"] == "fe26.2"]
