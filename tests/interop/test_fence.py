"""What we put beside a session, and clear, does not disturb them: the fence, and the chunks of either side."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    AUTH_JS,
    EXPRESS,
    EXPRESS_V2,
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    PARTNERS,
    Partner,
    we_create,
    we_delete,
    we_read,
    we_update,
)

Get = Callable[[str], Library]
each = pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.module)
dated = pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2, NEXTJS_V4], ids=lambda partner: partner.module
)


def fenced(partner: Partner) -> Jar:
    """A browser in which somebody has signed in and out with us."""
    jar, store = Jar(NOW), partner.store(lambda: NOW)
    we_create(store, jar, partner.core)
    we_delete(store, jar)
    assert list(jar.cookies) == [store.settings.fence]
    return jar


@each
@pytest.mark.parametrize("size", [300, 11_900])
def test_they_sign_in_and_write_in_a_jar_that_holds_our_fence(
    partner: Partner, library: Get, size: int
) -> None:
    """Auth.js joins every cookie whose name begins with the session's: a fence named by a suffix would lock everybody out."""
    theirs, jar, later = library(partner.module), fenced(partner), NOW + 5
    store = partner.store(lambda: later)
    fence = jar.cookies[store.settings.fence]
    session = sessions.filled(
        Random(size),
        partner.core
        | ({"internal": {"sid": "op-session", "createdAt": later}} if partner is NEXTJS_V4 else {}),
        size,
    )
    jar.take(
        theirs.ask("login", later, partner.options(), jar.header, sessions.text(session)).lines
    )
    read = theirs.ask("read", later, partner.options(), jar.header)
    assert sessions.text(session) == sessions.text(partner.own(session, read.contents))
    jar.take(
        theirs.ask("update", later, partner.options(), jar.header, sessions.text(session)).lines
    )
    assert sessions.text(session) == sessions.text(we_read(store, jar))
    assert jar.cookies[store.settings.fence] == fence


@each
def test_their_logout_leaves_our_fence(partner: Partner, library: Get) -> None:
    jar, store = fenced(partner), partner.store(lambda: NOW)
    we_create(store, jar, partner.core)
    fence = jar.cookies[store.settings.fence]
    jar.take(library(partner.module).ask("logout", NOW, partner.options(), jar.header).lines)
    assert jar.cookies[store.settings.fence] == fence


@each
def test_who_signs_in_again_with_us_in_the_same_second_is_signed_in_on_both_sides(
    partner: Partner, library: Get
) -> None:
    jar, store = fenced(partner), partner.store(lambda: NOW)
    we_create(store, jar, partner.core)
    assert we_read(store, jar) is not None
    assert (
        library(partner.module).ask("read", NOW, partner.options(), jar.header).session is not None
    )


@dated
def test_a_late_answer_of_theirs_does_not_bring_a_session_back_that_we_ended(
    partner: Partner, library: Get
) -> None:
    theirs, jar, store = library(partner.module), Jar(NOW), partner.store(lambda: NOW + 3)
    jar.take(theirs.ask("login", NOW, partner.options(), session=sessions.text(partner.core)).lines)
    late = theirs.ask("update", NOW + 2, partner.options(), jar.header, sessions.text(partner.core))
    we_delete(store, jar)
    jar.take(late.lines)
    assert we_read(store, jar) is None


@dated
def test_a_login_of_theirs_a_second_later_stands_though_the_identity_provider_gives_the_same_sid(
    partner: Partner, library: Get
) -> None:
    theirs, jar, now = library(partner.module), Jar(NOW), NOW
    store = partner.store(lambda: now)
    for _ in range(3):
        core = partner.core | (
            {"internal": {"sid": "op-session", "createdAt": now}} if partner is NEXTJS_V4 else {}
        )
        jar.take(theirs.ask("login", now, partner.options(), jar.header, sessions.text(core)).lines)
        assert we_read(store, jar) is not None
        we_delete(store, jar)
        assert we_read(store, jar) is None
        now += 1


def test_a_token_that_auth_js_wrote_over_ours_keeps_our_fence_once_we_have_written(
    library: Get,
) -> None:
    """Auth.js keeps claims that it does not know, ours among them, so that the session stays the one we know."""
    theirs, jar, store = library(AUTH_JS.module), Jar(NOW), AUTH_JS.store(lambda: NOW)
    we_create(store, jar, AUTH_JS.core)
    late = theirs.ask("update", NOW, AUTH_JS.options(), jar.header)
    jar.take(late.lines)
    we_update(store, jar, AUTH_JS.core | {"theme": "dark"})
    we_delete(store, jar)
    jar.take(late.lines)
    assert we_read(store, jar) is None
