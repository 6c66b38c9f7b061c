"""A native store takes sessions over from the cookies of the JavaScript libraries, and leaves those to them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sessionkit import CookieSettings, SessionStore
from sessionkit.formats import Importer

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    PARTNERS,
    SECRET,
    Partner,
    session_cookies,
    we_delete,
    we_read,
)

Get = Callable[[str], Library]
each = pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.module)


def store(partner: Partner, now: int = NOW) -> SessionStore:
    imported = Importer(
        partner.format(),
        secret=SECRET,
        until=None,
        convert=lambda contents: {"user": {"sub": "1"}, "theirs": contents},
    )
    cookie = CookieSettings(max_bytes=32_768)
    return SessionStore(
        "the secret of our own cookies, 5c1f",
        accept=[imported],
        lifetime=partner.lifetime,
        cookie=cookie,
        clock=lambda: now,
    )


def signed_in(partner: Partner, library: Get, session: dict[str, Any]) -> Jar:
    jar = Jar(NOW)
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=sessions.text(session))
        .lines
    )
    return jar


@each
def test_what_they_wrote_is_ours_and_theirs_still(partner: Partner, library: Get) -> None:
    random = Random(f"{partner.module} import")
    for size in sessions.sizes(random, 30):
        session = sessions.filled(random, partner.core, size)
        jar = signed_in(partner, library, session)
        theirs = jar.cookies
        assert we_read(store(partner), jar) == {"user": {"sub": "1"}, "theirs": session}
        assert jar.cookies.items() >= theirs.items()
        # Ours alone is enough from then on.
        ours = Jar(NOW)
        ours.take(f"{name}={value}" for name, value in jar.cookies.items() if name not in theirs)
        assert we_read(store(partner), ours) == {"user": {"sub": "1"}, "theirs": session}


@each
def test_parallel_first_requests_take_over_one_session(partner: Partner, library: Get) -> None:
    header = signed_in(partner, library, partner.core).header
    ids = set()
    for number in range(20):
        ours = store(partner, NOW + number % 4)
        with ours.exchange(header):
            session = ours.get_session()
            assert session is not None
            assert session.stamp is not None
            ids.add(session.stamp.id)
    assert len(ids) == 1


@each
@pytest.mark.parametrize("size", [300, 11_900])
def test_our_logout_ends_their_session_too(partner: Partner, library: Get, size: int) -> None:
    jar = signed_in(partner, library, sessions.filled(Random(size), partner.core, size))
    assert we_read(store(partner), jar) is not None
    we_delete(store(partner), jar)
    assert session_cookies(partner, jar) == {}


@each
def test_a_cookie_of_theirs_that_comes_back_after_our_logout_is_not_taken_over_again(
    partner: Partner, library: Get
) -> None:
    jar = signed_in(partner, library, partner.core)
    theirs = jar.cookies
    assert we_read(store(partner), jar) is not None
    we_delete(store(partner), jar)
    jar.take(f"{name}={value}" for name, value in theirs.items())
    assert we_read(store(partner, NOW + 5), jar) is None


@each
def test_the_creation_time_is_theirs(partner: Partner, library: Get) -> None:
    jar = signed_in(partner, library, partner.core)
    ours = store(partner, NOW + 100)
    with ours.exchange(jar.header):
        session = ours.get_session()
        assert session is not None
        assert session.stamp is not None
        assert session.stamp.created_at == NOW


def test_a_session_of_version_3_that_version_4_takes_over_after_our_logout_stays_ended(
    library: Get,
) -> None:
    jar, four = signed_in(NEXTJS_V3, library, NEXTJS_V3.core), library(NEXTJS_V4.module)
    slow, options = jar.header, NEXTJS_V4.options()
    expected = four.ask("read", NOW, options, slow).contents
    assert we_read(store(NEXTJS_V4), jar) == {"user": {"sub": "1"}, "theirs": expected}
    we_delete(store(NEXTJS_V4), jar)
    assert session_cookies(NEXTJS_V3, jar) == {}
    jar.take(four.ask("update", NOW + 1, options, slow, sessions.text(expected)).lines)
    assert we_read(store(NEXTJS_V4, NOW + 2), jar) is None
