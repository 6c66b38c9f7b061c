"""A page has loaded the session, the visitor logs out, and the page writes: the session stays dead."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .web import open_store, serve

VISITORS = 4


def overlap(web, store, user, rounds):
    """Let a late write overlap each logout; return what was wrong."""
    browser, slow, wrong = web.visit(), web.visit(), []
    for number in range(rounds):
        browser.cookie = None
        browser.get("login", user=user)
        slow.cookie = before = browser.cookie
        how = {"function": "yes"} if number % 2 else {}
        slow.send("late", gate=user, token="late", **how)
        waiting = web.gate.wait_for(user)
        browser.get("logout")
        waiting.close()
        answer = slow.receive()
        if answer != (200, "late", []):
            wrong.append(answer)
        browser.cookie = before
        found = browser.get("who"), store.sessions_of({"user": {"sub": user}})
        if found != (None, []):
            wrong.append(found)
    return wrong


@pytest.mark.parametrize(
    "kind",
    ["sqlite", "redis", "redis awaited", "postgresql", "postgresql awaited", "mariadb"],
)
def test_a_late_write_never_revives_a_session_that_was_logged_out(
    kind, engine_named, length, counted
):
    name, _, awaited = kind.partition(" ")
    engine, start = engine_named(name), time.monotonic()
    store = open_store(engine.url)
    with (
        serve(engine.awaited if awaited else engine.url) as web,
        ThreadPoolExecutor(VISITORS) as pool,
    ):
        runs = [
            pool.submit(overlap, web, store, f"late-{kind}-{one}", length.overlaps // VISITORS)
            for one in range(VISITORS)
        ]
        assert [run.result() for run in runs] == [[]] * VISITORS
    store.settings.backend.close()
    counted(f"{length.overlaps} overlaps, 0 revived, {time.monotonic() - start:.1f} s")
