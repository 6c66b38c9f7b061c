"""Verbs, assignments and settings that fail leave with no contents and no secret in a frame of ours."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

import sessionkit
from sessionkit import (
    ConfigurationError,
    KeyRing,
    SerializationError,
    SessionStore,
    SessionTooLargeError,
)
from sessionkit._frameworks.contents import LazyContents
from sessionkit._frameworks.dotted_settings import store_from_dotted
from sessionkit._frameworks.flask_extension import FlaskFamilyGateway
from sessionkit._frameworks.flask_settings import store_from_config
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware
from sessionkit._frameworks.session_place import replace_contents
from sessionkit._frameworks.starlette_arguments import store_from_arguments
from sessionkit._session.tracebacks import clear_frames
from sessionkit.formats import FlaskCookie, Importer, sign_id, verify_id
from sessionkit.wsgi import SessionMiddleware

from ..leaving import ADA, CANARY, STORES, header, leaves
from ..scene import SECRET
from ..served import environ_of, scope_of

LARGE = {**ADA, "large": "x" * 9000}
DATED = {**ADA, "set": {CANARY}}

VERBS = {
    "store.update_session": lambda store, ex, new: store.update_session(new),
    "store.create_session": lambda store, ex, new: store.create_session(new),
    "sessionkit.update_session": lambda store, ex, new: sessionkit.update_session(new),
    "sessionkit.create_session": lambda store, ex, new: sessionkit.create_session(new),
    "exchange.update": lambda store, ex, new: ex.update(new),
    "exchange.create": lambda store, ex, new: ex.create(new),
}


@pytest.mark.parametrize(
    "new", [LARGE, DATED, {**ADA, "half": "\ud800"}], ids=["large", "set", "half"]
)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", STORES)
def test_a_verb_that_cannot_keep_what_it_is_given_forgets_it(kind, verb, new):
    store = STORES[kind]()
    with store.exchange(header(store)) as exchange:
        leaves(lambda: VERBS[verb](store, exchange, new), sessionkit.SessionKitError)


@pytest.mark.parametrize("form", ["list", "message"])
def test_a_verb_that_is_given_the_response_forgets_it_too(form):
    store = SessionStore(SECRET)
    request = environ_of(header(store)) if form == "list" else scope_of(header(store))
    response: Any = [("X", CANARY)] if form == "list" else {"type": "http.response.start"}
    for verb in (store.update_session, store.create_session):
        leaves(lambda verb=verb: verb(request, response, LARGE), SessionTooLargeError)


def test_a_wrong_call_and_a_session_of_nobody_forget_what_they_were_given():
    store = SessionStore(SECRET)
    with store.exchange(header(store)) as exchange:
        leaves(lambda: store.update_session(LARGE, LARGE), TypeError)
        leaves(lambda: store.get_session(LARGE), TypeError)
        leaves(lambda: store.create_session({"token": CANARY}), ValueError)
    leaves(lambda: exchange.update(LARGE), sessionkit.ResponseStartedError)


def test_an_assignment_that_comes_too_late_forgets_what_was_assigned():
    store = SessionStore(SECRET)
    with store.exchange(header(store)) as exchange:
        live, shown = exchange.contents, LazyContents(exchange)
    late = sessionkit.ResponseStartedError
    leaves(lambda: live.update(ADA), late)
    leaves(lambda: live.__setitem__("late", CANARY), late)
    leaves(lambda: live.__setitem__(CANARY, "late"), late)
    leaves(lambda: shown.__setitem__("late", CANARY), late)
    leaves(lambda: shown.__ior__(ADA), late)
    leaves(lambda: replace_contents(exchange, ADA), late)


def test_what_an_applications_function_raises_keeps_its_frames_and_their_variables():
    def guard(session: Any) -> bool:
        mine = CANARY.upper()
        return bool(session["absent"]) or bool(mine)

    store = SessionStore(SECRET, guard=guard)
    errors: list[BaseException] = []
    with pytest.raises(KeyError), store.exchange(header(SessionStore(SECRET))) as exchange:
        acts = (exchange.get, store.get_session, lambda: exchange.create(ADA))
        errors = [leaves(act, KeyError) for act in acts]
        exchange.update(ADA)
    for error in errors:
        trace = error.__traceback__
        while trace.tb_next is not None:
            trace = trace.tb_next
        assert trace.tb_frame.f_code is guard.__code__
        assert trace.tb_frame.f_locals["mine"] == CANARY.upper()


def test_an_exception_that_was_being_handled_stays_the_context():
    store = SessionStore(SECRET)
    before = KeyError("the application's")
    with store.exchange(header(store)), pytest.raises(SerializationError) as raised:
        try:
            raise before
        except KeyError:
            store.update_session({**ADA, "half": "\ud800"})
    assert raised.value.__context__ is before


def test_a_gateway_that_still_waits_with_an_exception_is_left_alone():
    store = SessionStore(SECRET)
    failed = KeyError("of the application")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        store.delete_session()
        raise failed

    async def run() -> None:
        sent, go_on = asyncio.Event(), asyncio.Event()

        async def send(message: Any) -> None:
            sent.set()
            await go_on.wait()

        serving = asyncio.ensure_future(store.asgi(app)(scope_of(header(store)), None, send))
        await sent.wait()  # the gateway carries the logout, and has the exception in hand
        clear_frames(failed)
        go_on.set()
        with pytest.raises(KeyError, match="of the application"):
            await serving

    asyncio.run(run())


SHORT = "canary-secret"
CONFIG = {
    "SECRET_KEY": SHORT, "PERMANENT_SESSION_LIFETIME": 60, "SESSION_REFRESH_EACH_REQUEST": True, "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_PATH": None, "APPLICATION_ROOT": "/", "SESSION_COOKIE_DOMAIN": None, "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True, "SESSION_COOKIE_SAMESITE": None,
}  # fmt: skip


class App:
    """An application of Flask's kind, with a secret that is refused."""

    config: ClassVar[dict[str, Any]] = CONFIG
    extensions: ClassVar[dict[str, Any]] = {}
    debug = testing = False


KIT: Any = SimpleNamespace(store=None, settings={})
SECRETS = {
    "SessionStore": lambda: SessionStore(SHORT),
    "of a list": lambda: SessionStore([SECRET, SHORT]),
    "half a surrogate": lambda: SessionStore(SHORT + "\ud800" * 32),
    "twice": lambda: SessionStore([SHORT * 4, SHORT * 4]),
    "another setting": lambda: SessionStore(SHORT * 4, lifetime=60),  # type: ignore[arg-type]
    "audience": lambda: SessionStore(SHORT * 4, audience="caf\xe9"),
    "of Django": lambda: SessionStore("django-insecure-" + SHORT * 4),
    "importer": lambda: SessionStore(SECRET, accept=[Importer(FlaskCookie(), secret=SHORT[:3] * 2, until=None)]),
    "KeyRing": lambda: KeyRing(SHORT),
    "Importer": lambda: Importer(FlaskCookie(), secret=SHORT, until="never"),  # type: ignore[arg-type]
    "sign_id": lambda: sign_id("id", name="appSession", secret=[SHORT, ""]),
    "verify_id": lambda: verify_id("id.s", name="appSession", secret=[SHORT, ""]),
    "from_env": lambda: SessionStore.from_env({"SESSIONKIT_SECRET": SHORT}),
    "from_env, another": lambda: SessionStore.from_env({"SESSIONKIT_SECRET": SHORT, "SESSIONKIT_IDLE": "x"}),
    "from_env, argument": lambda: SessionStore.from_env({}, secret=SHORT),
    "arguments": lambda: store_from_arguments(SHORT),
    "scope session": lambda: ScopeSessionMiddleware(None, secret_key=SHORT),
    "settings of Flask": lambda: store_from_config(CONFIG, {}, for_development=False),
    "gateway of Flask": lambda: FlaskFamilyGateway(App(), None, SessionMiddleware, KIT).current,
    "dotted settings": lambda: store_from_dotted({"sessionkit.secret": SHORT}, {}),
}  # fmt: skip


@pytest.mark.parametrize("way", SECRETS)
def test_a_secret_that_is_refused_is_in_no_frame(way):
    canary = SHORT[:3] * 2 if way == "importer" else SHORT
    assert canary not in str(leaves(SECRETS[way], ConfigurationError, canary))
