"""The engine is down, silent or locked, as visitors see it: pages that need it fail in time, others work, nobody is signed out."""

import pytest
from stopwatch import Stopwatch

from .web import serve

AT_MOST = 4  # seconds until a page answers that the engine does not: 3, and one for a machine that is busy


def ask_in_time(visitor, page, calls=1, **query):
    """Return the status and the Set-Cookie lines of an answer that came in time."""
    with Stopwatch() as watch:
        answer = visitor.ask(page, **query)
    assert watch.seconds < calls * AT_MOST, page
    return answer.status, answer.lines


def check_pages(web, cookie):
    """Ask pages that need the engine, and others, while it does not answer."""
    visitor = web.visit(cookie)
    assert ask_in_time(visitor, "who") == (503, [])
    assert ask_in_time(visitor, "still") == (200, [])
    assert ask_in_time(web.visit(), "who") == (200, [])


def check_changes(web, cookie):
    """Ask pages that change the session, while the engine does not answer."""
    visitor = web.visit(cookie)
    assert ask_in_time(visitor, "write", token="lost") == (503, [])
    assert ask_in_time(visitor, "logout") == (503, [])
    assert visitor.cookie == cookie
    # It is not known whether the session was stored, so the 503 tries to delete it.
    assert ask_in_time(web.visit(), "login", calls=2, user="nobody") == (503, [])


@pytest.mark.parametrize("kind", ["redis", "redis awaited", "postgresql", "mariadb"])
def test_an_outage_signs_nobody_out_and_needs_no_restart_of_the_web_server(kind, engine_named):
    name, _, awaited = kind.partition(" ")
    engine = engine_named(name)
    server = engine.server
    with serve(engine.awaited if awaited else engine.url, workers=1) as web:
        visitor = web.visit()
        visitor.get("login", user=f"outage-{kind}")
        cookie = visitor.cookie
        visitor.get("write", token="before")
        server.kill()
        try:
            check_pages(web, cookie)
            check_changes(web, cookie)
        finally:
            server.start()
        assert web.visit(cookie).get("done") == ["before"]
        with engine.frozen():
            check_pages(web, cookie)
        again = "before", "after"
        assert (visitor.get("write", token="after"), visitor.get("done")) == (True, [*again])
        assert (visitor.get("logout"), visitor.get("who")) == ("out", None)


def test_a_locked_sqlite_file_fails_writes_and_nothing_else(engine_named):
    engine = engine_named("sqlite")
    with serve(engine.url, workers=1) as web:
        visitor = web.visit()
        visitor.get("login", user="locked")
        cookie = visitor.cookie
        with engine.connect() as other:
            other.execute("BEGIN IMMEDIATE")
            visitor.send("write", token="lost")
            reader = web.visit(cookie)
            assert reader.get("who") == "locked"
            answer = visitor.receive()
            assert (answer.status, answer.lines) == (503, [])
        assert (visitor.get("write", token="kept"), visitor.get("done")) == (True, ["kept"])
