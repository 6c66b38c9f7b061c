"""What Flask and Quart ask of the application itself, and what is read of a session when its request is over."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import ResponseStartedError, SessionStore
from sessionkit._frameworks.flask_extension import FlaskFamilyExtension
from sessionkit._frameworks.flask_session import FlaskFamilySession
from sessionkit.wsgi import SessionMiddleware

from .test_settings_of_flask import DEFAULTS

KEY, NEXT = (
    "flask's family: 0123456789abcdefghijklmnopqrstuvwxyz",
    "flask's family, the next: 0123456789abcdefghijklmnopqrstuvwxyz",
)


class Application:
    """One whose class says its secret key."""

    secret_key: Any = KEY
    permanent_session_lifetime = 300
    debug, testing = False, True

    def __init__(self) -> None:
        self.config = {**DEFAULTS, "SECRET_KEY": None}
        self.extensions: dict[str, Any] = {}


class Served(FlaskFamilyExtension[Any]):
    front: Any
    serializer = json = tags = None

    def _serve(self, app: Any) -> None:
        self.front = self.make_gateway(app, app, SessionMiddleware)


def test_the_application_is_asked_for_its_secret_key_and_lifetime() -> None:
    app = Application()
    front = Served(app).front
    first = front.current
    assert first.settings.lifetime.idle == 300
    assert front.current is first
    app.secret_key = NEXT
    assert front.current.settings.codec.ids != first.settings.codec.ids
    app.secret_key = None
    assert front.current is None


# ---- messages, when the request is over

store = SessionStore(KEY)


def flashing(*, active: bool) -> FlaskFamilySession:
    """A session with a message, whose response has gone out."""
    with store.exchange() as exchange:
        session = FlaskFamilySession(exchange)
        session["_flashes"] = [("message", "saved")]
        session["cart"] = 1
        if active:
            exchange.commit()
            with pytest.raises(ResponseStartedError):
                session.pop("_flashes")
    return session


def test_messages_can_be_read_where_the_request_is_not_served() -> None:
    session = flashing(active=False)
    assert [("message", "saved")] == session.pop("_flashes")
    assert [("message", "saved")] == session["_flashes"]
    for key in ("cart", "other"):
        with pytest.raises((ResponseStartedError, KeyError)):
            del session[key]
    assert session["cart"] == 1


def test_messages_cannot_be_taken_out_too_late_where_it_is_served() -> None:
    assert [("message", "saved")] == flashing(active=True)["_flashes"]
