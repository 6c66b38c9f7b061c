"""A session that was imported ends no later than its source would have, and a logout of it stays one for as long as that cookie lives."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timezone
from hashlib import sha1, sha256
from itertools import product
from typing import Any

import pytest

from sessionkit import Absence, CookieSettings, Lifetime, SessionStore, anyone
from sessionkit._session.base64url import decode, encode
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    DjangoCookie,
    ExpressOpenID,
    FlaskCookie,
    Importer,
    IronSession,
    Native,
    NextAuthV4,
    StarletteCookie,
)

from ..scene import OTHER_SECRET, SECRET, START, Scene, cookie, names
from .foreign_cookies import DJANGO_STAMP, FLASK, OLD, flask_signed, iron_seal
from .tokens import id_token

END = START + 5000
DAY = 86_400
ENDING = {
    "nextjs-auth0 v4": (
        Auth0V4(),
        {"user": {"sub": "a"}, "internal": {"createdAt": START, "sessionExpiresAt": END}},
    ),
    "auth0-fastapi": (
        Auth0FastAPI(),
        {"user": {"sub": "a"}, "internal": {"created_at": START, "session_expires_at": END}},
    ),
    "express": (ExpressOpenID(), {"id_token": id_token(sub="a"), "sessionExpiresAt": END}),
}
TARGETS = {
    "native": Native(),
    "v3": Auth0V3(),
    "express": ExpressOpenID(),
    "v4": Auth0V4(),
    "auth0-fastapi": Auth0FastAPI(),
    "next-auth": NextAuthV4(),
    "authjs": AuthJSV5(),
}


def user_of(_contents: dict[str, Any]) -> dict[str, Any]:
    return {"user": {"sub": "a"}}


def source_cookie(clock: Any, format: Any, session: dict[str, Any], **settings: Any) -> list[str]:
    store = SessionStore(OTHER_SECRET, format=format, clock=clock, **settings)
    with store.exchange() as exchange:
        store.create_session(session)
    return [line for name, line in exchange.response_headers if name == "Set-Cookie"]


def imported(source: str, target: str, **settings: Any) -> Scene:
    """A browser that has a session of a source, and a store that imports it."""
    format, session = ENDING[source]
    importer = Importer(
        format, secret=OTHER_SECRET, name="other", until=None, clear=True, convert=user_of
    )
    scene = Scene(
        format=TARGETS[target],
        accept=[importer],
        lifetime=Lifetime(idle=2000, absolute=None, renew_after=0),
        **settings,
    )
    lines = source_cookie(scene.clock, format, session, cookie=CookieSettings(name="other"))
    scene.browser.jar.receive(lines)
    return scene


def alive_until(scene: Scene) -> int:
    """The last second, of those near the end, at which somebody is signed in."""
    found = [0]
    for at in (END - 32, END - 31, END - 30, END - 15, END, END + 20):
        scene.clock.now = at
        if scene.browser.session():
            found.append(at)
    return max(found)


@pytest.mark.parametrize(("source", "target"), list(product(ENDING, TARGETS)))
def test_the_providers_end_holds_after_imports_updates_renewals_and_rotations(source, target):
    scene = imported(source, target)
    assert scene.browser.session() != {}
    for act in ("get", "touch", "rotate", "get", "touch"):
        visit = scene.browser.visit()
        assert getattr(visit.exchange, act)()
        visit.arrive()
        scene.clock.wait(700)
    scene.browser.update(theme="dark")
    scene.clock.wait(1000)
    visit = scene.browser.visit()
    visit.exchange.touch()
    visit.arrive()
    assert alive_until(scene) == END - 31


@pytest.mark.parametrize("source", ENDING)
def test_a_login_over_it_has_no_such_end(source):
    scene = imported(source, "native")
    visit = scene.browser.visit()
    visit.exchange.create({"user": {"sub": "a"}})
    visit.arrive()
    for _ in range(5):
        scene.clock.wait(1500)
        visit = scene.browser.visit()
        assert visit.exchange.touch()
        visit.arrive()


def test_a_second_import_into_another_store_of_ours_keeps_the_end():
    scene = imported("nextjs-auth0 v4", "native", cookie=CookieSettings(name="first"))
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    visit.arrive()
    scene.browser.store = SessionStore(
        SECRET,
        clock=scene.clock,
        lifetime=Lifetime(idle=DAY, absolute=None),
        accept=[Importer(Native(), name="first", until=None)],
    )
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    assert names(visit.arrive())[0] == "__Host-session"
    assert alive_until(scene) == END - 31


def test_the_token_says_the_end_and_no_cookie_outlives_it():
    scene = imported("nextjs-auth0 v4", "native")
    scene.clock.wait(4000)
    lines = importing(scene)
    header = json.loads(decode(cookie(lines, "__Host-session").partition(".")[0].encode()))
    assert (header["exp"], header["end"]) == (END - 30, END - 30)
    assert lines[0].startswith("__Host-session=")
    assert "; Max-Age=970;" in lines[0]


def importing(scene: Scene) -> list[str]:
    visit = scene.browser.visit()
    assert visit.exchange.get() is not None
    return visit.arrive()


def test_one_that_expires_at_its_end_is_not_renewed():
    scene = imported("nextjs-auth0 v4", "native")
    scene.clock.wait(4000)
    importing(scene)
    scene.clock.wait(500)
    assert importing(scene) == []


def test_a_token_whose_expiry_lies_behind_its_end_is_malformed():
    scene = Scene()
    codec = scene.store.settings.codec
    scene.browser.login()
    stamp = scene.browser.visit().exchange.contents.stamp
    token = codec.seal(b"{}", replace(stamp, ends_at=stamp.expires_at - 1))
    assert codec.open(token, START).value == "malformed"
    assert (
        codec.open(codec.seal(b"{}", replace(stamp, ends_at=stamp.expires_at)), START).contents
        == {}
    )


# ---- the frameworks' own ends


def python_scene(format: Any, header: str) -> Scene:
    scene = Scene(
        accept=[Importer(format, secret=OLD, until=None)],
        guard=anyone,
        lifetime=Lifetime(idle=10 * DAY, absolute=None),
    )
    scene.browser.jar.receive([f"{header}; Path=/; Secure"])
    return scene


def end_of(scene: Scene) -> int | None:
    visit = scene.browser.visit()
    visit.exchange.get()
    stamp = visit.exchange.contents.stamp
    assert stamp is not None
    return stamp.ends_at


def flask_cookie(contents: str) -> str:
    return f"session={flask_signed(b64encode(contents.encode()).decode().rstrip('='))}"


def test_a_permanent_session_of_flask_rolls_and_another_ends_after_its_last_change():
    format = FlaskCookie(max_age=1000)
    assert end_of(python_scene(format, flask_cookie('{"a":1}'))) == START + 1000
    assert end_of(python_scene(format, flask_cookie('{"_permanent":true}'))) is None
    assert end_of(python_scene(FlaskCookie(max_age=None), flask_cookie('{"a":1}'))) is None
    assert end_of(python_scene(FlaskCookie(), FLASK)) == START + 31 * DAY


def django_cookie(contents: dict[str, Any]) -> str:
    salt = b"django.contrib.sessions.backends.signed_cookies" + b"signer"
    covered = f"{encode(json.dumps(contents).encode()).decode()}:{DJANGO_STAMP}"
    tag = hmac.digest(sha256(salt + OLD.encode()).digest(), covered.encode(), "sha256")
    return f"sessionid={covered}:{encode(tag).decode()}"


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (None, 1000),
        (500, 500),
        (5000, 1000),
        (0, 1000),
        (True, 1000),
        ("soon", 1000),
        (datetime.fromtimestamp(START + 700, timezone.utc).isoformat(), 700),
        (datetime.fromtimestamp(START + 700, timezone.utc).replace(tzinfo=None).isoformat(), 700),
    ],
)
def test_a_session_of_django_ends_by_its_age_or_by_set_expiry(said, ends):
    header = django_cookie({"_session_expiry": said})
    assert end_of(python_scene(DjangoCookie(max_age=1000), header)) == START + ends
    if ends == 1000 and said != 5000:
        assert end_of(python_scene(DjangoCookie(max_age=None), header)) is None


def test_an_end_of_django_without_a_zone_is_utc_wherever_the_server_is(monkeypatch):
    said = datetime.fromtimestamp(START + 700, timezone.utc).replace(tzinfo=None).isoformat()
    monkeypatch.setenv("TZ", "UTC-9")
    time.tzset()
    try:
        scene = python_scene(DjangoCookie(), django_cookie({"_session_expiry": said}))
        assert end_of(scene) == START + 700
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "said", ["9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59+00:00", 10**10]
)
def test_an_end_in_the_year_9999_is_one_that_our_token_can_say(said):
    scene = python_scene(DjangoCookie(max_age=None), django_cookie({"_session_expiry": said}))
    importing(scene)
    assert scene.browser.session() == {"_session_expiry": said}


def test_an_end_in_the_year_1_has_come():
    said = {"_session_expiry": "0001-01-01T00:00:00+23:59"}
    scene = python_scene(DjangoCookie(max_age=None), django_cookie(said))
    assert scene.browser.absence() is Absence.EXPIRED


def test_a_session_of_starlette_rolls():
    key = sha1(b"itsdangerous.Signersigner" + OLD.encode(), usedforsecurity=False).digest()
    covered = b64encode(b'{"a":1}') + b"." + encode(START.to_bytes(4, "big"))
    header = f"session={(covered + b'.' + encode(hmac.digest(key, covered, 'sha1'))).decode()}"
    assert end_of(python_scene(StarletteCookie(), header)) is None


def test_a_seal_of_iron_session_ends_where_it_says():
    for ends, found in (((START + 500) * 1000, START + 560), ("", None)):
        scene = iron_scene("native")
        scene.browser.jar.receive([f"other={seal(ends)}; Path=/; Secure"])
        assert end_of(scene) == found


def seal(ends: object) -> str:
    return iron_seal(b'{"user":{"sub":"a"}}', ends=ends)


def iron_scene(target: str) -> Scene:
    importer = Importer(IronSession(ttl=1000), name="other", secret="p" * 32, until=None)
    return Scene(
        format=TARGETS[target], lifetime=Lifetime(idle=DAY, absolute=None), accept=[importer]
    )


# ---- the logout


SOURCES = {
    "a session that does not roll": (Auth0V3(), Lifetime(rolling=False, absolute=30 * DAY)),
    "a session that rolls": (Auth0V3(), Lifetime(idle=30 * DAY, absolute=None)),
    "express": (ExpressOpenID(), Lifetime(rolling=False, absolute=30 * DAY)),
    "next-auth": (NextAuthV4(), Lifetime(idle=30 * DAY, absolute=None)),
    "ours": (Native(), Lifetime(idle=30 * DAY, absolute=None)),
}


@pytest.mark.parametrize(("source", "clear"), list(product(SOURCES, (True, False))))
@pytest.mark.parametrize("target", ["native", "v4", "authjs"])
def test_who_logged_out_stays_so_while_a_cookie_that_cannot_be_cleared_lives(source, clear, target):
    format, lifetime = SOURCES[source]
    scene = Scene(
        format=TARGETS[target],
        lifetime=Lifetime(idle=DAY, absolute=None),
        accept=[Importer(format, name="other", secret=OTHER_SECRET, until=None, clear=clear)],
    )
    session = {"user": {"sub": "a"}}
    line = source_cookie(
        scene.clock, format, session, lifetime=lifetime, cookie=CookieSettings(name="other")
    )[0]

    def with_theirs(act: str) -> Any:
        # It was set with another Domain: whatever we clear, it comes with each request.
        scene.browser.jar.receive([line])
        visit = scene.browser.visit()
        found = getattr(visit.exchange, act)()
        visit.arrive()
        return found

    scene.clock.wait(600)
    assert with_theirs("get") is not None
    assert with_theirs("delete") is True
    for later in (100, 2 * DAY, 18 * DAY, 9 * DAY):
        scene.clock.wait(later)
        assert with_theirs("get") is None


@pytest.mark.parametrize(
    ("absolute", "importer", "age"),
    [
        (7 * DAY, FlaskCookie(), 7 * DAY),
        (None, FlaskCookie(), 400 * DAY),
        (7 * DAY, IronSession(), 400 * DAY),
        (None, None, DAY + 3600),
        (7 * DAY, None, 7 * DAY),
    ],
    ids=str,
)
def test_the_fence_lives_as_long_as_what_it_names_could_be_imported(absolute, importer, age):
    accept = [] if importer is None else [Importer(importer, name="other", secret=OLD, until=None)]
    scene = Scene(lifetime=Lifetime(idle=DAY, absolute=absolute), accept=accept)
    scene.browser.login()
    fence = next(line for line in scene.browser.logout() if line.startswith("__Host-out."))
    assert f"; Max-Age={age};" in fence


@pytest.mark.parametrize("target", TARGETS)
def test_what_does_not_say_when_it_began_is_one_session_for_the_fence_of_every_format(target):
    scene, line = iron_scene(target), f"other={seal('')}; Path=/; Secure"
    scene.browser.jar.receive([line])
    late = scene.browser.visit()
    late.exchange.get()
    scene.clock.wait(100)
    scene.browser.jar.receive([line])
    importing(scene)
    scene.browser.update(theme="dark")
    scene.clock.wait(100)
    scene.browser.logout()
    late.arrive()
    assert scene.browser.session() == {}
    scene.browser.jar.receive([f"{scene.store.settings.name}=; Max-Age=0; Path=/; Secure", line])
    assert scene.browser.session() == {}
