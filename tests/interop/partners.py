"""The libraries we share sessions with: their settings beside ours, and what a session of each must hold.

Facts that both sides must agree on, read in the sources of the versions of node/package.json:

=====================  ========================  =====================  ===========================================  =========
library                cookie                    chunks                 characters of a chunk                        on expiry
=====================  ========================  =====================  ===========================================  =========
nextjs-auth0 3         appSession                .0 .1 ...              4096 - len(Set-Cookie line of an empty .0)   no slack
express-openid-connect appSession                .0 .1 ...              the same                                     no slack
nextjs-auth0 4         __session                 __0 __1 ...            3500                                         15 s
next-auth 4            next-auth.session-token   .0 .1 ...              3933 (4096 - 163)                            15 s
Auth.js 5              authjs.session-token      .0 .1 ...              3936 (4096 - 160)                            15 s
iron-session 9         the application's         .0 .1 .2 .3 (opt-in)   4096 - bytes of the line of an empty .0      60 s
iron-session 8         the application's         none                   -                                            60 s
=====================  ========================  =====================  ===========================================  =========

How they read: nextjs-auth0 3 and express take a whole cookie before chunks, join every chunk by number whatever gaps
there are, and leave chunks beyond .9 behind; express leaves .2 and .3 behind when four chunks become two. nextjs-auth0 4
refuses a row with a gap, and clears __0 to __4 at every write. next-auth and Auth.js join *every* cookie whose name
begins with the session cookie's (`startsWith`), in the order of the number behind its last dot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sessionkit import CookieSettings, Lifetime, SessionStore
from sessionkit.formats import Auth0V3, Auth0V4, AuthJSV5, ExpressOpenID, Format, NextAuthV4

from .jar import Jar

NOW = 1_700_000_000
SECRET = "the first secret of the shared sign-in 4f1d"
OTHER = "the second secret of the shared sign-in 9be0"
MAX_BYTES = 32_768  # a session of 12 kB makes cookies of 16 kB and more

WEEK = Lifetime(idle=86_400, absolute=7 * 86_400)

# {"alg":"none"}.{"sub":"auth0|1","sid":"op-session"}. - express-openid-connect keeps the claims in the id_token only.
ID_TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhdXRoMHwxIiwic2lkIjoib3Atc2Vzc2lvbiJ9."


@dataclass(frozen=True, slots=True)
class Partner:
    """A library and our format of it.

    `added` are the claims that the library puts into a token beside the session's own; `rotates` says whether it
    takes a list of secrets; `idle` and `absolute` name its settings.
    """

    module: str
    format: Callable[[], Format]
    core: dict[str, Any]
    settings: Callable[[Any, Lifetime], dict[str, Any]]
    lifetime: Lifetime = WEEK
    added: frozenset[str] = frozenset()
    rotates: bool = False

    @property
    def idle(self) -> int:
        """Seconds of the idle time."""
        return self.lifetime.idle or 0

    def options(
        self, secrets: str | list[str] = SECRET, lifetime: Lifetime | None = None
    ) -> dict[str, Any]:
        """The library's settings for these secrets and times."""
        return self.settings(secrets, lifetime or self.lifetime)

    def store(
        self,
        now: Callable[[], float],
        secrets: str | list[str] = SECRET,
        lifetime: Lifetime | None = None,
        **cookie: Any,
    ) -> SessionStore:
        """Our store beside it."""
        settings = CookieSettings(**{"max_bytes": MAX_BYTES, "priority": None, **cookie})
        return SessionStore(
            secrets,
            format=self.format(),
            lifetime=lifetime or self.lifetime,
            cookie=settings,
            clock=now,
        )

    def own(self, session: dict[str, Any], read: dict[str, Any]) -> dict[str, Any]:
        """What the library read, without what it, or we, keep in a token beside the session."""
        return {
            key: value for key, value in read.items() if key in session or key not in self.added
        }


def auth0(secrets: Any, lifetime: Lifetime) -> dict[str, Any]:
    """nextjs-auth0 3 and express-openid-connect."""
    if not lifetime.rolling:
        return {
            "secret": secrets,
            "session": {
                "rolling": False,
                "rollingDuration": False,
                "absoluteDuration": lifetime.absolute,
            },
        }
    absolute = False if lifetime.absolute is None else lifetime.absolute
    return {
        "secret": secrets,
        "session": {"rollingDuration": lifetime.idle, "absoluteDuration": absolute},
    }


def auth0_v4(secrets: Any, lifetime: Lifetime) -> dict[str, Any]:
    """nextjs-auth0 4."""
    times = {"rolling": lifetime.rolling, "absoluteDuration": lifetime.absolute}
    return {
        "secret": secrets,
        "session": times | ({"inactivityDuration": lifetime.idle} if lifetime.rolling else {}),
    }


def auth_js(secrets: Any, lifetime: Lifetime) -> dict[str, Any]:
    """next-auth 4 and Auth.js 5, whose only lifetime is an idle one."""
    # next-auth 4 does not let session.maxAge (the cookie's) be jwt.maxAge (the token's) too: that one is 30 days.
    return {
        "secret": secrets,
        "session": {"strategy": "jwt", "maxAge": lifetime.idle},
        "jwt": {"maxAge": lifetime.idle},
    }


TOKENS = {
    "accessToken": "access",
    "refreshToken": "refresh",
    "accessTokenScope": "openid profile",
    "accessTokenExpiresAt": NOW + 3600,
}
CLAIMS = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "picture": "https://e.example/a.png",
    "sub": "user-1",
}
JWT = frozenset({"iat", "exp", "jti", "sessionkit"})

NEXTJS_V3 = Partner(
    "nextjs-auth0-v3",
    Auth0V3,
    {"user": {"sub": "auth0|1", "sid": "op-session"}, **TOKENS, "idToken": ID_TOKEN},
    auth0,
    rotates=True,
)
EXPRESS = Partner(
    "express-openid-connect",
    ExpressOpenID,
    {
        "id_token": ID_TOKEN,
        "access_token": "access",
        "token_type": "Bearer",
        "expires_at": NOW + 3600,
    },
    auth0,
    rotates=True,
)
EXPRESS_V2 = Partner("express-openid-connect-v2", ExpressOpenID, EXPRESS.core, auth0, rotates=True)
NEXTJS_V4 = Partner(
    "nextjs-auth0-v4",
    Auth0V4,
    {
        "user": {"sub": "auth0|1", "sid": "op-session"},
        "tokenSet": {
            "accessToken": "access",
            "idToken": ID_TOKEN,
            "scope": "openid",
            "expiresAt": NOW + 3600,
        },
        "internal": {"sid": "op-session", "createdAt": NOW},
    },
    auth0_v4,
    lifetime=Lifetime(idle=86_400, absolute=3 * 86_400),
    added=frozenset({"exp"}),
)
NEXT_AUTH = Partner("next-auth-v4", NextAuthV4, CLAIMS, auth_js, added=JWT)
AUTH_JS = Partner("authjs", AuthJSV5, CLAIMS, auth_js, added=JWT, rotates=True)

PARTNERS = [NEXTJS_V3, EXPRESS, EXPRESS_V2, NEXTJS_V4, NEXT_AUTH, AUTH_JS]


def session_name(partner: Partner) -> str:
    """The name of the library's session cookie over https."""
    return partner.store(lambda: NOW).settings.name


def session_cookies(partner: Partner, jar: Jar) -> dict[str, str]:
    """The session's own cookies in the jar: by the rule of those who join whatever begins with its name."""
    return {
        key: value for key, value in jar.cookies.items() if key.startswith(session_name(partner))
    }


def set_cookies(headers: Iterable[tuple[str, str]]) -> list[str]:
    """The Set-Cookie lines of a response."""
    return [value for name, value in headers if name == "Set-Cookie"]


def we_create(store: SessionStore, jar: Jar, session: dict[str, Any]) -> list[str]:
    """A login of ours."""
    with store.exchange(jar.header) as exchange:
        store.create_session(session)
    return _taken(jar, exchange.response_headers)


def we_update(store: SessionStore, jar: Jar, session: dict[str, Any]) -> list[str]:
    """An update of ours."""
    with store.exchange(jar.header) as exchange:
        assert store.update_session(session), exchange.absence
    return _taken(jar, exchange.response_headers)


def we_delete(store: SessionStore, jar: Jar) -> list[str]:
    """A logout of ours."""
    with store.exchange(jar.header) as exchange:
        store.delete_session()
    return _taken(jar, exchange.response_headers)


def we_read(store: SessionStore, jar: Jar) -> dict[str, Any] | None:
    """What we read; what a renewal sets goes into the jar."""
    with store.exchange(jar.header) as exchange:
        session = store.get_session()
    _taken(jar, exchange.response_headers)
    return None if session is None else dict(session)


def _taken(jar: Jar, headers: list[tuple[str, str]]) -> list[str]:
    lines = set_cookies(headers)
    jar.take(lines)
    return lines
