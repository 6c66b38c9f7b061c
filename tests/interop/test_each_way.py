"""200 random sessions each way: what they write we read, what we write they read, to the byte of its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest

from sessionkit import SerializationError, SessionTooLargeError

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    AUTH_JS,
    EXPRESS,
    EXPRESS_V2,
    NEXT_AUTH,
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    PARTNERS,
    Partner,
    we_create,
    we_read,
    we_update,
)

COUNT = 200
Get = Callable[[str], Library]
each = pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.module)


def random_sessions(partner: Partner, seed: str) -> list[dict[str, object]]:
    random = Random(f"{partner.module} {seed}")
    return [sessions.filled(random, partner.core, size) for size in sessions.sizes(random, COUNT)]


@each
def test_what_they_write_we_read(partner: Partner, library: Get) -> None:
    theirs, store = library(partner.module), partner.store(lambda: NOW)
    for session in random_sessions(partner, "theirs"):
        jar = Jar(NOW)
        jar.take(theirs.ask("login", NOW, partner.options(), session=sessions.text(session)).lines)
        assert sessions.text(session) == sessions.text(we_read(store, jar))


@each
def test_what_we_write_they_read(partner: Partner, library: Get) -> None:
    theirs, store = library(partner.module), partner.store(lambda: NOW)
    for session in random_sessions(partner, "ours"):
        jar = Jar(NOW)
        we_create(store, jar, session)
        read = theirs.ask("read", NOW, partner.options(), jar.header)
        assert read.session is not None
        assert sessions.text(session) == sessions.text(partner.own(session, read.contents))


@each
def test_they_open_nothing_of_another_secret(partner: Partner, library: Get) -> None:
    jar = Jar(NOW)
    we_create(
        partner.store(lambda: NOW, "a secret that the other side has never seen"), jar, partner.core
    )
    assert library(partner.module).ask("read", NOW, partner.options(), jar.header).session is None


@each
def test_we_open_nothing_of_another_secret(partner: Partner, library: Get) -> None:
    jar = Jar(NOW)
    options = partner.options("a secret that this side has never seen")
    jar.take(
        library(partner.module)
        .ask("login", NOW, options, session=sessions.text(partner.core))
        .lines
    )
    assert we_read(partner.store(lambda: NOW), jar) is None


@each
def test_a_session_of_theirs_over_our_budget_is_read_and_renewed(
    partner: Partner, library: Get
) -> None:
    """`max_bytes` limits what the application writes: whoever is signed in over there must not be thrown out here."""
    jar, later = Jar(NOW), NOW + partner.idle - 100
    session = sessions.filled(Random(1), partner.core, 9_000)
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=sessions.text(session))
        .lines
    )
    store = partner.store(lambda: later, max_bytes=7168)
    jar.now = later
    before = jar.cookies
    assert sessions.text(session) == sessions.text(we_read(store, jar))
    assert jar.cookies.keys() == before.keys()
    assert jar.cookies != before
    with pytest.raises(SessionTooLargeError):
        we_update(store, jar, session | {"more": 1})


@each
def test_a_number_that_javascript_has_rounded_does_not_stop_us_from_reading(
    partner: Partner, library: Get
) -> None:
    """1e17 is a number of theirs, written 100000000000000000; a write of ours refuses what they would round."""
    jar, later = Jar(NOW), NOW + partner.idle - 100
    session = partner.core | {"large": 10**17}
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=sessions.text(session))
        .lines
    )
    store = partner.store(lambda: later)
    jar.now = later
    assert sessions.text(session) == sessions.text(we_read(store, jar))
    with pytest.raises(SerializationError, match="large"):
        we_update(store, jar, session | {"more": 1})


@each
def test_a_string_that_javascript_has_cut_within_a_character_does_not_stop_us_from_reading(
    partner: Partner, library: Get
) -> None:
    """`"🐴".slice(0, 1)` is half a surrogate pair, written as an escape; what we renew is that half still."""
    jar, later = Jar(NOW), NOW + partner.idle - 100
    session = partner.core | {"cut": "\ud83d"}
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=json.dumps(session))
        .lines
    )
    before = jar.cookies
    jar.now = later
    assert we_read(partner.store(lambda: later), jar) == session
    assert jar.cookies != before
    read = library(partner.module).ask("read", later, partner.options(), jar.header)
    assert partner.own(session, read.contents) == session


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, NEXTJS_V4, NEXT_AUTH, AUTH_JS], ids=lambda partner: partner.module
)
def test_times_of_the_application_s_own_end_the_session_on_neither_side(
    partner: Partner, library: Get
) -> None:
    """jose judges a token by the `exp` and `nbf` among its claims: what the application calls so lies elsewhere."""
    jar, session = Jar(NOW), partner.core | {"exp": 12, "nbf": 4_000_000_000}
    store = partner.store(lambda: NOW)
    we_create(store, jar, session)
    assert we_read(store, jar) == session
    read = library(partner.module).ask("read", NOW, partner.options(), jar.header).contents
    assert read.items() >= partner.core.items()


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2], ids=lambda partner: partner.module
)
def test_times_of_the_application_s_own_are_data_in_a_session_without_claims(
    partner: Partner, library: Get
) -> None:
    """nextjs-auth0 3 takes them for claims all the same, and gives no session; express and we give it."""
    jar, session = Jar(NOW), partner.core | {"exp": 12, "nbf": 4_000_000_000}
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=sessions.text(session))
        .lines
    )
    assert we_read(partner.store(lambda: NOW), jar) == session
    read = library(partner.module).ask("read", NOW, partner.options(), jar.header)
    assert read.contents == (None if partner is NEXTJS_V3 else session)
