"""A whole life of a session with canaries in secret, claims, tokens and cookies: they turn up nowhere they should not."""

import gc
import json
import logging
import pickle
import traceback

import pytest

import sessionkit
from sessionkit import (
    CookieSettings,
    SessionKitError,
    SessionStore,
    create_session,
    fast_json,
    get_session,
)
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit._exchange.request import HeaderRequest

from ..scene import Browser, Clock

SECRET_CANARY = "canary-of-the-secret-0123456789abcdefgh"
CLAIM_CANARY = "canary-of-a-claim"
USER = {
    "user": {"sub": CLAIM_CANARY, "email": CLAIM_CANARY + "@example.org"},
    "token": CLAIM_CANARY * 3,
}


class Told:
    """All that a run lets out: log records, events, errors and reprs."""

    def __init__(self):
        self.events = []
        self.errors = []
        self.tokens = set()

    def fails(self, function, *args):
        try:
            function(*args)
        except (SessionKitError, ValueError, TypeError) as error:
            self.errors.append(error)
        else:
            raise AssertionError(f"{function} was to fail")


def remember(told, lines):
    for line in lines:
        value = line.partition("=")[2].partition(";")[0]
        # The parts of a token and of a renewal; the key id in clear is one too.
        told.tokens.update(part for part in value.split(".") if len(part) >= 16)


def whole_run(told, serializer):
    clock = Clock()
    store = SessionStore(
        [SECRET_CANARY, SECRET_CANARY.upper()],
        cookie=CookieSettings(domain="example.org"),
        serializer=serializer,
        clock=clock,
        on_event=told.events.append,
    )
    browser = Browser(store, clock)
    told.objects = [
        store,
        store.settings,
        store.settings.codec,
        store.settings.codec._keys,
        store.settings.codec.seen,
        sessionkit.KeyRing(SECRET_CANARY),
    ]

    def request(act, status=200, header=None, **more):
        visit = browser.visit(scheme="http", headers={"Host": "example.org"}, **more)
        if header is not None:
            visit.exchange.request.cookie_header = header
        told.objects.append(visit.exchange)
        try:
            act(visit.exchange)
            changes = visit.exchange.commit(status)
            told.objects.append(changes)
            lines = [value for name, value in changes.add if name == "Set-Cookie"]
            remember(told, lines)
            browser.jar.receive(lines)
        finally:
            visit.exchange.finish()
        return visit.exchange

    request(lambda exchange: exchange.create(USER))
    token = browser.jar.value("session")
    request(lambda exchange: told.objects.append(exchange.get()))
    clock.wait(600)
    request(lambda exchange: exchange.get())
    request(lambda exchange: exchange.update({**exchange.get(), "big": CLAIM_CANARY * 200}))
    request(lambda exchange: exchange.touch())
    request(lambda exchange: exchange.rotate())
    request(lambda exchange: exchange.update({"user": {"sub": CLAIM_CANARY + "-other"}}))
    request(lambda exchange: exchange.update({**exchange.get(), "x": CLAIM_CANARY}), status=500)
    # What fails.
    told.fails(request, lambda exchange: exchange.get()["user"].update(sub=CLAIM_CANARY + "-admin"))
    told.fails(request, lambda exchange: exchange.update({**exchange.get(), "bad": {CLAIM_CANARY}}))
    told.fails(
        request,
        lambda exchange: exchange.update({**exchange.get(), "bad": "\ud800" + CLAIM_CANARY}),
    )
    told.fails(
        request, lambda exchange: exchange.update({**exchange.get(), "bad": {1: CLAIM_CANARY}})
    )
    told.fails(
        request, lambda exchange: exchange.update({**exchange.get(), "large": CLAIM_CANARY * 1000})
    )
    told.fails(request, lambda exchange: exchange.create({"cart": CLAIM_CANARY}))
    told.fails(pickle.dumps, store)
    told.fails(store.update_session, CLAIM_CANARY)
    told.fails(store.get_session, {"HTTP_COOKIE": CLAIM_CANARY}, CLAIM_CANARY)
    told.fails(SessionStore, SECRET_CANARY[:20])
    told.fails(SessionStore, [SECRET_CANARY, SECRET_CANARY])
    told.fails(SessionStore.from_env, {"SESSIONKIT_SECRET": SECRET_CANARY[:20]})
    told.fails(SessionStore, "django-insecure-" + SECRET_CANARY)
    # What is too late.
    late = browser.visit().exchange
    session = late.get()
    late.commit()
    told.fails(session.update, {"x": CLAIM_CANARY})
    session["user"]["late"] = CLAIM_CANARY
    late.finish()
    # What is hostile.
    foreign = SessionStore(
        "another-" + SECRET_CANARY, cookie=CookieSettings(domain="example.org"), clock=clock
    )
    exchange = foreign.begin(HeaderRequest())
    exchange.create(USER)
    other = exchange.commit().add[0][1].partition(";")[0]
    remember(told, [other])
    for header in (
        f"session={token}; {browser.jar.header()}", other, f"session={token[:-1]}", f"session={token[:-2]}AA", f"session.0={token[:99]}", f"session={CLAIM_CANARY}",
        f"session={token}; {other}; seen.session={CLAIM_CANARY}; out.session={CLAIM_CANARY}", "; ".join([f"session={token}"] * 6),
    ):  # fmt: skip
        request(lambda exchange: told.objects.append(exchange.absence), header=header)
    # A framework's own session, a script, a logout, an end.
    store.settings = store.settings.with_framework(FrameworkKeys(login=("_user_id",)))
    request(lambda exchange: exchange.contents.update({"_user_id": CLAIM_CANARY}))
    with store.exchange(browser.jar.header()):
        told.fails(create_session, {"user": {"sub": CLAIM_CANARY, "bad": object()}})
        told.objects.append(get_session())
    clock.wait(86_400 * 3)
    request(lambda exchange: exchange.get())
    request(lambda exchange: exchange.delete(), status=500)


def shown(told, caplog):
    """Everything as text: records with their arguments and tracebacks, events, errors with their chains, reprs."""
    yield from (record.getMessage() for record in caplog.records)
    yield caplog.text
    yield from (repr(record.__dict__) for record in caplog.records)
    yield from map(repr, told.events)
    for error in told.errors:
        yield "".join(traceback.format_exception_only(error))
        chained = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        yield repr(chained)
    yield from map(repr, told.objects)
    yield from map(str, told.objects)


@pytest.mark.parametrize("serializer", [sessionkit.JSON, fast_json()], ids=["json", "fast_json"])
def test_no_log_event_error_or_repr_shows_a_secret_a_claim_or_a_token(serializer, caplog):
    caplog.set_level(logging.DEBUG)
    told = Told()
    whole_run(told, serializer)
    texts = list(shown(told, caplog))
    assert len(told.events) > 10
    assert len(told.errors) == 15
    assert len(told.tokens) > 20
    assert len(caplog.records) > 10
    leaks = [
        (text, canary)
        for text in texts
        for canary in (SECRET_CANARY, SECRET_CANARY.upper(), CLAIM_CANARY, *told.tokens)
        if canary in text
    ]
    assert leaks == []


def is_whole(one):
    """What was refused while it was built lives on, half made, in the traceback of its error."""
    return all(
        hasattr(one, name)
        for name in {SessionStore: ("settings",), sessionkit.KeyRing: ("_extracts",)}.get(
            type(one), ()
        )
    )


def test_no_object_of_the_package_that_is_left_behind_shows_one_in_its_repr(caplog):
    told = Told()
    whole_run(told, sessionkit.JSON)
    gc.unfreeze()  # what was there before the first test is looked at too
    gc.collect()
    ours = [
        one
        for one in gc.get_objects()
        # A type of an extension module may have a descriptor in this place.
        if str(type(one).__module__).startswith("sessionkit") and is_whole(one)
    ]
    assert len(ours) > 10
    assert [one for one in map(repr, ours) if SECRET_CANARY in one or CLAIM_CANARY in one] == []


def test_the_canaries_do_sing_where_they_may(caplog):
    # Were the contents never there, finding none of them would prove nothing.
    clock = Clock()
    browser = Browser(SessionStore(SECRET_CANARY, clock=clock), clock)
    browser.login(USER)
    assert CLAIM_CANARY in json.dumps(browser.session())
    assert CLAIM_CANARY not in browser.jar.header()
