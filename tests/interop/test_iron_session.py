"""iron-session writes, and we take the session over."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sessionkit import CookieSettings, SessionStore
from sessionkit.formats import Importer, IronSession

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import NOW, OTHER, SECRET, we_delete, we_read

Get = Callable[[str], Library]
VERSIONS = ["iron-session-v8", "iron-session-v9"]
NAME = "iron"
CORE = {"user": {"id": 7, "name": "Ada"}}
each = pytest.mark.parametrize("module", VERSIONS)


def options(password: Any = SECRET, **more: Any) -> dict[str, Any]:
    return {"password": password, "cookieName": NAME, **more}


def store(
    secret: str | list[str] = SECRET, now: Callable[[], float] = lambda: NOW, **source: Any
) -> SessionStore:
    imported = Importer(IronSession(**source), secret=secret, name=NAME, until=None)
    return SessionStore(
        "the secret of our own cookies, 5c1f",
        accept=[imported],
        cookie=CookieSettings(max_bytes=32_768),
        clock=now,
    )


def written(library: Get, module: str, session: dict[str, Any], given: dict[str, Any]) -> Jar:
    jar = Jar(NOW)
    jar.take(library(module).ask("login", NOW, given, session=sessions.text(session)).lines)
    return jar


@pytest.mark.parametrize(
    ("module", "largest"), [("iron-session-v8", 2_200), ("iron-session-v9", sessions.LARGEST - 300)]
)
def test_what_iron_session_writes_we_take_over(module: str, largest: int, library: Get) -> None:
    """8 has no chunks, so that a session must fit into one cookie; 9 has four of them."""
    random = Random(module)
    given = options() if module == "iron-session-v8" else options(chunk=True)
    for size in sessions.sizes(random, 200):
        session = sessions.filled(random, CORE, min(size, largest))
        jar = written(library, module, session, given)
        assert sessions.text(session) == sessions.text(we_read(store(), jar))
        # It is ours from now on, and theirs is gone.
        assert not any(name.startswith(NAME) for name in jar.cookies)
        assert sessions.text(session) == sessions.text(we_read(store(), jar))


@each
def test_a_password_that_iron_session_is_retiring_opens_still(module: str, library: Get) -> None:
    jar = written(library, module, CORE, options({"1": SECRET, "2": OTHER}))
    assert we_read(store([SECRET, OTHER]), jar) == CORE
    jar = written(library, module, CORE, options({"1": OTHER, "2": SECRET}))
    assert we_read(store([OTHER, SECRET]), jar) == CORE


@each
def test_a_seal_of_another_password_is_refused(module: str, library: Get) -> None:
    assert we_read(store(), written(library, module, CORE, options(OTHER))) is None


@each
def test_a_seal_ends_for_us_when_it_ends_for_them(module: str, library: Get) -> None:
    given = options(ttl=1000)
    jar = written(library, module, CORE, given)
    header = jar.header
    for now in range(NOW + 1000 - 2, NOW + 1000 + 64):
        theirs = library(module).ask("read", now, given, header).session is not None
        ours = store(now=lambda now=now: now, ttl=1000)
        with ours.exchange(header):
            assert theirs == (ours.get_session() is not None)


@each
def test_a_logout_of_ours_ends_the_session_that_was_theirs(module: str, library: Get) -> None:
    jar = written(library, module, CORE, options())
    header = dict(jar.cookies)
    assert we_read(store(), jar) == CORE
    we_delete(store(), jar)
    jar.take(f"{name}={value}" for name, value in header.items())  # a late answer of theirs
    assert we_read(store(), jar) is None
