"""A user is revoked while logins of this user are being served: none of them is alive afterwards, and the next login is."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .web import open_store, serve

FLIGHTS = 2
ROUNDS_AT_ONCE = 2


def revoke_in_flight(web, store, user, rounds):
    """Revoke a user while logins are in flight, which are answered after it or beside it; return what was wrong."""
    visitors, wrong = [web.visit() for _ in range(FLIGHTS + 1)], []
    (present, *logins) = visitors
    for number in range(rounds):
        for one in visitors:
            one.cookie = None
        present.get("login", user=user)
        for one in logins:
            one.send("login", user=user, gate=user)
        waiting = [web.gate.wait_for(user) for _ in logins]
        if number % 2:
            # The logins are stored while the user is revoked.
            for one in waiting:
                one.close()
        store.revoke_user({"user": {"sub": user}})
        for one in waiting:
            one.close()
        answers = [one.receive() for one in logins]
        if number % 2 == 0 and any(one.lines for one in answers):
            wrong.append(answers)
        alive = [one.get("who") for one in visitors], store.sessions_of({"user": {"sub": user}})
        if alive != ([None] * len(visitors), []):
            wrong.append(alive)
        present.cookie = None
        present.get("login", user=user)
        found = present.get("who"), len(store.sessions_of({"user": {"sub": user}}))
        if found != (user, 1):
            wrong.append(found)
    return wrong


@pytest.mark.parametrize("kind", ["sqlite", "redis", "redis awaited", "postgresql", "mariadb"])
def test_no_login_in_flight_survives_a_revocation_and_the_next_one_sticks(
    kind, engine_named, length, counted
):
    name, _, awaited = kind.partition(" ")
    engine, start = engine_named(name), time.monotonic()
    store = open_store(engine.url)
    with (
        serve(engine.awaited if awaited else engine.url) as web,
        ThreadPoolExecutor(ROUNDS_AT_ONCE) as pool,
    ):
        runs = [
            pool.submit(
                revoke_in_flight,
                web,
                store,
                f"revoked-{kind}-{one}",
                length.revocations // ROUNDS_AT_ONCE,
            )
            for one in range(ROUNDS_AT_ONCE)
        ]
        assert [run.result() for run in runs] == [[]] * ROUNDS_AT_ONCE
    store.settings.backend.close()
    counted(f"{length.revocations} revocations, 0 alive, {time.monotonic() - start:.1f} s")
