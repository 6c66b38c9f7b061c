"""Both sides write one session in turns, in one browser, while it grows and shrinks; secrets change under it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import (
    NOW,
    OTHER,
    PARTNERS,
    SECRET,
    Partner,
    session_cookies,
    set_cookies,
    we_create,
    we_delete,
    we_read,
    we_update,
)

ROUNDS = 40
Get = Callable[[str], Library]
each = pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.module)


@each
def test_one_session_grows_and_shrinks_in_one_jar_under_two_writers(
    partner: Partner, library: Get
) -> None:
    theirs, store, jar = library(partner.module), partner.store(lambda: NOW), Jar(NOW)
    random = Random(f"{partner.module} jar")
    jar.take(theirs.ask("login", NOW, partner.options(), session=sessions.text(partner.core)).lines)
    # Every other size is small, so that both sides have chunks of the other to clear.
    for number, size in enumerate(sessions.sizes(random, ROUNDS)):
        session = sessions.filled(
            random, partner.core | {"round": number}, size if number % 4 < 2 else size // 8
        )
        if number % 2:
            # express leaves chunks behind when it writes fewer of them, and reads nothing then: we do not.
            jar.take(
                theirs.ask(
                    "update", NOW, partner.options(), jar.header, sessions.text(session)
                ).lines
            )
        else:
            lines = we_update(store, jar, session)
            written = {
                name
                for name, value in (line.split(";")[0].split("=", 1) for line in lines)
                if value
            }
            assert written == set(session_cookies(partner, jar))
            read = theirs.ask("read", NOW, partner.options(), jar.header)
            assert sessions.text(session) == sessions.text(partner.own(session, read.contents))
        assert sessions.text(session) == sessions.text(we_read(store, jar))


@each
@pytest.mark.parametrize("size", [300, 11_900])
def test_our_logout_leaves_no_session_cookie(partner: Partner, library: Get, size: int) -> None:
    jar = Jar(NOW)
    session = sessions.filled(Random(size), partner.core, size)
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(), session=sessions.text(session))
        .lines
    )
    we_delete(partner.store(lambda: NOW), jar)
    assert session_cookies(partner, jar) == {}


@each
@pytest.mark.parametrize("size", [300, 11_900])
def test_their_logout_ends_a_session_of_ours(partner: Partner, library: Get, size: int) -> None:
    jar, store = Jar(NOW), partner.store(lambda: NOW)
    we_create(store, jar, sessions.filled(Random(size), partner.core, size))
    jar.take(library(partner.module).ask("logout", NOW, partner.options(), jar.header).lines)
    assert we_read(store, jar) is None
    assert session_cookies(partner, jar) == {}


@each
def test_we_cut_a_token_where_they_cut_it(partner: Partner, library: Get) -> None:
    """Chunks of ours, the last one apart, have the lengths of theirs."""
    store = partner.store(lambda: NOW, secure=True)
    for size in (2_500, 3_500, 6_000, 9_000, 12_000):
        ours, others = Jar(NOW), Jar(NOW)
        session = sessions.filled(Random(size), partner.core, size)
        we_create(store, ours, session)
        others.take(
            library(partner.module)
            .ask("login", NOW, partner.options(), session=sessions.text(session))
            .lines
        )
        cut = [
            {key: len(value) for key, value in session_cookies(partner, jar).items()}
            for jar in (ours, others)
        ]
        if not partner.added - {"exp"}:
            assert cut[0] == cut[1]  # where a token holds nothing of ours, down to the last byte
        assert list(cut[0].values())[:-1] == list(cut[1].values())[:-1]


@pytest.mark.parametrize(
    "partner",
    [one for one in PARTNERS if not one.added - {"exp"}],
    ids=lambda partner: partner.module,
)
def test_we_begin_to_cut_at_the_same_character(partner: Partner, library: Get) -> None:
    def names(padding: int) -> tuple[list[str], list[str]]:
        session = partner.core | {"padding": "a" * padding}
        theirs, ours = Jar(NOW), Jar(NOW)
        theirs.take(
            library(partner.module)
            .ask("login", NOW, partner.options(), session=sessions.text(session))
            .lines
        )
        we_create(partner.store(lambda: NOW), ours, session)
        return list(session_cookies(partner, theirs)), list(session_cookies(partner, ours))

    single, several = 0, 4096
    while several - single > 1:
        middle = (single + several) // 2
        single, several = (middle, several) if len(names(middle)[0]) == 1 else (single, middle)
    for padding in range(single - 3, several + 4):
        theirs, ours = names(padding)
        assert theirs == ours


def seals(partner: Partner, library: Get, secrets: Any, session: dict[str, Any]) -> Jar:
    """A jar with a session that the library has sealed under these secrets."""
    jar = Jar(NOW)
    jar.take(
        library(partner.module)
        .ask("login", NOW, partner.options(secrets), session=sessions.text(session))
        .lines
    )
    return jar


def several(partner: Partner) -> list[dict[str, Any]]:
    random = Random(f"{partner.module} rotation")
    return [
        sessions.filled(random, partner.core | {"number": size}, size)
        for size in sessions.sizes(random, 20)
    ]


@each
def test_we_read_what_they_sealed_with_a_secret_that_we_are_retiring(
    partner: Partner, library: Get
) -> None:
    store = partner.store(lambda: NOW, [OTHER, SECRET])
    for session in several(partner):
        assert sessions.text(session) == sessions.text(
            we_read(store, seals(partner, library, SECRET, session))
        )


@each
def test_a_write_of_ours_takes_the_first_secret_and_they_read_it(
    partner: Partner, library: Get
) -> None:
    store = partner.store(lambda: NOW, [OTHER, SECRET])
    for session in several(partner):
        jar = seals(partner, library, SECRET, partner.core)
        we_update(store, jar, session)
        read = library(partner.module).ask("read", NOW, partner.options(OTHER), jar.header)
        assert sessions.text(session) == sessions.text(partner.own(session, read.contents))


@pytest.mark.parametrize(
    "partner", [one for one in PARTNERS if one.rotates], ids=lambda partner: partner.module
)
def test_they_read_what_we_sealed_with_a_secret_that_they_are_retiring(
    partner: Partner, library: Get
) -> None:
    store = partner.store(lambda: NOW, SECRET)
    for session in several(partner):
        jar = Jar(NOW)
        we_create(store, jar, session)
        read = library(partner.module).ask(
            "read", NOW, partner.options([OTHER, SECRET]), jar.header
        )
        assert sessions.text(session) == sessions.text(partner.own(session, read.contents))
        # And what they seal then is the new secret's, which we must hold too.
        jar.take(
            library(partner.module)
            .ask(
                "update", NOW, partner.options([OTHER, SECRET]), jar.header, sessions.text(session)
            )
            .lines
        )
        assert sessions.text(session) == sessions.text(
            we_read(partner.store(lambda: NOW, [SECRET, OTHER]), jar)
        )
        assert we_read(store, jar) is None


@each
@pytest.mark.parametrize("first", ["javascript", "python"])
@pytest.mark.parametrize("verb", ["update", "create", "delete"])
@pytest.mark.parametrize(
    ("before", "meanwhile", "last"), [(10, 12_000, 10), (10, 12_000, 4_500), (12_000, 10, 4_500)]
)
def test_what_another_tab_wrote_meanwhile_does_not_hide_what_we_wrote_last(
    partner: Partner, first: str, verb: str, before: int, meanwhile: int, last: int, library: Get
) -> None:
    """nextjs-auth0#2782: two tabs have one session; each writes without having seen the other's answer."""
    theirs, store, jar = library(partner.module), partner.store(lambda: NOW), Jar(NOW)
    core, options = partner.core, partner.options()

    def contents(size: int, number: int) -> dict[str, Any]:
        return {**core, "cart": "b" * size, "number": number}

    jar.take(theirs.ask("login", NOW, options, session=sessions.text(contents(before, 0))).lines)
    both = Jar(NOW)
    both.take(f"{name}={value}" for name, value in jar.cookies.items())
    if first == "javascript":
        session = sessions.text(contents(meanwhile, 1))
        jar.take(theirs.ask("update", NOW, options, both.header, session).lines)
    else:
        with store.exchange(both.header) as exchange:
            store.update_session(contents(meanwhile, 1))
        jar.take(set_cookies(exchange.response_headers))
    with store.exchange(both.header) as exchange:
        if verb == "delete":
            store.delete_session()
        else:
            getattr(store, f"{verb}_session")(contents(last, 2))
    jar.take(set_cookies(exchange.response_headers))
    read = theirs.ask("read", NOW, options, jar.header).contents or {}
    assert read.get("number") == (None if verb == "delete" else 2)
    assert bool(read) is (verb != "delete")
