"""All that an engine keeps: its files, and a dump. No session id, user or content is in them, and a moved record is dead."""

import base64
import mmap
import secrets
from contextlib import suppress

import pytest

from .engines import ENGINES
from .web import open_store, serve

VISITORS = 10


def spell(canary):
    """Return the spellings of some bytes that a dump may have: themselves, hex, and base64 at each alignment."""
    found = {canary, canary.hex().encode(), canary.hex().upper().encode()}
    for skipped in range(3):
        whole = canary[skipped : len(canary) - (len(canary) - skipped) % 3]
        found |= {base64.b64encode(whole), base64.urlsafe_b64encode(whole)}
    return found


def read_all(engine):
    """Yield a name and the bytes of each file of an engine, and of its dump."""
    for path in engine.folder.rglob("*"):
        # A server removes files of its own while it runs; an empty one cannot be mapped.
        with (
            suppress(FileNotFoundError, ValueError, OSError),
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen,
        ):
            yield path.name, seen
    yield "the dump", engine.dump()


def find(engine, canaries):
    """Return the names of the canaries that are found, with the places."""
    spellings = {name: spell(canary) for name, canary in canaries.items()}
    return {
        (name, place)
        for place, seen in read_all(engine)
        for name, spelled in spellings.items()
        if any(seen.find(one) >= 0 for one in spelled)
    }


@pytest.mark.parametrize("name", ENGINES)
def test_no_id_user_or_content_is_in_the_files_or_the_dump_of_an_engine(name, engine_named):
    engine = engine_named(name)
    store = open_store(engine.url)
    user, content = secrets.token_hex(16), secrets.token_hex(16)
    canaries = {"user": user.encode(), "content": content.encode()}
    with serve(engine.url) as web:
        for number in range(VISITORS):
            visitor = web.visit()
            visitor.get("login", user=user, content=content)
            for token in range(3):
                visitor.get("write", token=f"{content}-{token}")
            with store.exchange(visitor.cookie) as exchange:
                store.get_session()
                canaries[f"id {number}"] = base64.urlsafe_b64decode(exchange.state.stamp.id + "==")
            canaries[f"cookie {number}"] = visitor.cookie.partition("=")[2][-32:].encode()
            if number % 2:
                visitor.get("logout")
    kept = store.sessions_of({"user": {"sub": user}})
    assert len(kept) == VISITORS / 2
    assert find(engine, canaries) == set()
    # What must be there is found: the search looks at the right places.
    keys = {one.handle: one.handle.partition(".")[2].encode() for one in kept}
    found = find(engine, keys)
    assert {one for one, place in found if place == "the dump"} == set(keys)
    assert {one for one, place in found if place != "the dump"} == set(keys)
    store.settings.backend.close()


@pytest.mark.parametrize("name", ENGINES)
def test_a_record_that_was_moved_or_predated_does_not_open(name, engine_named):
    engine = engine_named(name)
    store = open_store(engine.url)
    alice, bob = f"alice-{name}", f"bob-{name}"

    def begin(user):
        with store.exchange() as exchange:
            store.create_session({"user": {"sub": user}})
        lines = [value for field, value in exchange.response_headers if field == "Set-Cookie"]
        (mine,) = {one.handle for one in list_handles(user)} - seen
        seen.add(mine)
        return lines[0].partition(";")[0], mine

    def list_handles(user):
        return store.sessions_of({"user": {"sub": user}})

    def is_alive(cookie):
        with store.exchange(cookie):
            return store.get_session() is not None

    seen = set()
    (first, one), (second, two), (third, three), (other, his) = map(
        begin, (alice, alice, alice, bob)
    )
    assert [True] * 4 == [is_alive(cookie) for cookie in (first, second, third, other)]
    engine.move(one, two)
    assert [False, False, True] == [is_alive(cookie) for cookie in (first, second, third)]
    assert [three] == [one.handle for one in list_handles(alice)]
    engine.edit(three, three, created_at=-1)
    assert (False, []) == (is_alive(third), list_handles(alice))
    engine.edit(three, three, created_at=1)
    assert (True, 1) == (is_alive(third), len(list_handles(alice)))
    engine.edit(three, f"{his.partition('.')[0]}.{three.partition('.')[2]}")
    assert (False, [his]) == (is_alive(third), [one.handle for one in list_handles(bob)])
    store.settings.backend.close()
