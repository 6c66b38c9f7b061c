"""What requests send to the engine, counted: nothing for a cookie that is not ours, one command for a load, one for a save."""

import time

import pytest
from tcp_proxy import proxy

from sessionkit import SessionStore

from .web import SECRET, open_store, serve

LONG_AGO = 400 * 86_400  # seconds


def forge(cookie):
    """Return the cookie with another last character but one, which is of the tag."""
    name, _, token = cookie.partition("=")
    return f"{name}={token[:-8]}{'A' if token[-8] != 'A' else 'B'}{token[-7:]}"


def begin(store, **contents):
    """Return the cookie of a session that a script has begun."""
    with store.exchange() as exchange:
        store.create_session(contents)
    (line,) = [value for field, value in exchange.response_headers if field == "Set-Cookie"]
    return line.partition(";")[0]


def make_cookies(engine, own):
    """Return Cookie headers that point to no record of the application's sessions."""
    store = open_store(engine.url)
    expired = open_store(engine.url, clock=lambda: time.time() - LONG_AGO)
    of_cookies = SessionStore(SECRET, cookie=store.settings.cookie)
    of_others = SessionStore("0123456789 of another application", cookie=store.settings.cookie)
    name = own.partition("=")[0]
    cookies = {
        "no cookie": None,
        "a forged pointer": forge(own),
        "a pointer of another audience": begin(store.for_audience("x"), user={"sub": "alice"}),
        "an expired pointer": begin(expired, user={"sub": "alice"}),
        "a session in a cookie": begin(of_cookies, user={"sub": "alice"}),
        "a session of another application": begin(of_others, user={"sub": "alice"}),
        "no token": f"{name}=nonsense",
        "another cookie": "theme=dark",
    }
    for one in (store, expired):
        one.settings.backend.close()
    return cookies


@pytest.mark.parametrize("kind", ["redis", "redis awaited", "postgresql", "mariadb"])
def test_only_a_valid_pointer_costs_a_trip(kind, engine_named, counted):
    name, _, awaited = kind.partition(" ")
    engine = engine_named(name)
    with (
        proxy(engine.server.port) as between,
        serve(engine.at(between.port)[bool(awaited)], workers=1) as web,
    ):
        visitor = web.visit()
        visitor.get("login", user="alice")
        # Redis gets the text of a script once, and a connection is opened once.
        visitor.get("write", token="first")

        def count(cookie, page, **query):
            before = len(between.requests)
            answer = web.visit(cookie).ask(page, **query)
            assert answer.status == 200, answer
            return len(between.requests) - before

        cookies = make_cookies(engine, visitor.cookie)
        assert {one: count(cookie, "who") for one, cookie in cookies.items()} == dict.fromkeys(
            cookies, 0
        )
        found = {
            "a page that does not look": count(visitor.cookie, "still"),
            "a load": count(visitor.cookie, "who"),
            "a load and a save": count(visitor.cookie, "write", token="one"),
        }
    counted(str(found))
    still = found.pop("a page that does not look")
    # An async gateway loads before the application is called.
    assert still == (1 if awaited else 0)
    assert found == {"a load": 1, "a load and a save": 2}


def test_redis_itself_counts_one_command_for_a_load_and_one_for_a_save(engine_named):
    engine = engine_named("redis")

    def count(visitor, page, **query):
        before = engine.server.commands()
        visitor.get(page, **query)
        after = engine.server.commands()
        return {
            one: number - before.get(one, 0)
            for one, number in after.items()
            if one in ("mget", "get", "evalsha", "eval") and number != before.get(one, 0)
        }

    with serve(engine.url, workers=1) as web:
        visitor = web.visit()
        visitor.get("login", user="alice")
        visitor.get("write", token="one")
        assert count(web.visit(), "who") == {}
        assert count(web.visit(forge(visitor.cookie)), "who") == {}
        assert count(visitor, "still") == {}
        assert count(visitor, "who") == {"mget": 1}
        saved = count(visitor, "write", token="two")
        assert (saved["mget"], saved["evalsha"], "eval" in saved) == (1, 1, False)
