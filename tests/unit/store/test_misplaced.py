"""A store in the place of an application, and what is no store in a store's, are told at once."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import SessionStore, asgi, configure, contents_of, wsgi
from sessionkit._frameworks.extension import Extension
from sessionkit._frameworks.scope_session import ScopeSessionMiddleware
from sessionkit._requests.gateway import Gateway

from ..leaving import leaves

STORE = SessionStore("misplaced tests: 0123456789abcdefghijklmnopqrstuvwxyz")


def app(*_: Any) -> Any:
    """An application that nobody calls."""


class SessionKit(Extension[Any]):
    served: Any = None

    def _serve(self, app: Any) -> None:
        self.served = app


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (lambda: wsgi.SessionMiddleware(STORE, app), "SessionMiddleware(app, store)"),  # type: ignore[arg-type]
        (lambda: asgi.SessionMiddleware(STORE, app), "SessionMiddleware(app, store)"),  # type: ignore[arg-type]
        (lambda: STORE.wsgi(STORE), "SessionMiddleware(app, store)"),
        (lambda: STORE.asgi(STORE), "SessionMiddleware(app, store)"),
        (lambda: ScopeSessionMiddleware(STORE), "add_middleware(SessionMiddleware, store=store)"),
        (lambda: ScopeSessionMiddleware(STORE, app), "add_middleware(SessionMiddleware, store="),  # type: ignore[arg-type]
        (lambda: SessionKit(STORE), "SessionKit(app, store=store)"),
    ],
)
def test_a_store_in_the_applications_place_is_told_how_the_call_is_written(
    made: Any, call: str
) -> None:
    with pytest.raises(TypeError) as told:
        made()
    assert "a store stands where the application belongs" in str(told.value)
    assert call in str(told.value)


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (lambda: wsgi.SessionMiddleware(app, None), "SessionMiddleware(app, store)"),  # type: ignore[arg-type]
        (lambda: asgi.SessionMiddleware(app, "secret"), "SessionMiddleware(app, store)"),  # type: ignore[arg-type]
        (lambda: ScopeSessionMiddleware(app, "secret"), "add_middleware(SessionMiddleware, store="),  # type: ignore[arg-type]
        (lambda: SessionKit(app, store="secret"), "SessionKit(app, store=store)"),  # type: ignore[arg-type]
        (lambda: SessionKit(store=app), "SessionKit(app, store=store)"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_store_is_told_how_the_call_is_written(made: Any, call: str) -> None:
    with pytest.raises(TypeError) as told:
        made()
    assert "stands where the SessionStore belongs" in str(told.value)
    assert call in str(told.value)


def test_the_class_of_a_store_is_told_to_be_called() -> None:
    with pytest.raises(TypeError, match=r"the class SessionStore .*store=SessionStore\(secret\)"):
        SessionKit(app, store=SessionStore)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "put",
    [
        STORE.wsgi,
        STORE.asgi,
        lambda secret: wsgi.SessionMiddleware(secret, STORE),
        lambda secret: asgi.SessionMiddleware(secret, STORE),
        lambda secret: wsgi.SessionMiddleware(app, secret),
        lambda secret: asgi.SessionMiddleware(app, secret),
        lambda secret: ScopeSessionMiddleware(app, secret),
        lambda secret: ScopeSessionMiddleware(secret, STORE),
        SessionKit,
        SessionKit().init_app,
        lambda secret: SessionKit(store=secret),
        configure,
        contents_of,
        lambda secret: STORE.for_audience(f"{secret}\0"),
    ],
)
def test_a_secret_in_a_wrong_place_is_in_no_frame_of_the_error(put: Any) -> None:
    canary = "canary-secret: 0123456789abcdefghijklmnopqrstuvwxyz"
    error = leaves(lambda: put(canary), (TypeError, ValueError), canary)
    assert canary not in str(error)


def test_a_gateway_is_an_application_too() -> None:
    inner = STORE.wsgi(app)
    assert STORE.wsgi(inner).app is inner
    assert isinstance(inner, Gateway)
    assert SessionKit(inner, store=STORE).served is inner
