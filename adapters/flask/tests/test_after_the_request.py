"""What the test client's preserved context shows of the session when the request is over."""

from __future__ import annotations

import pytest
from flask import (
    Flask,
    Response,
    flash,
    get_flashed_messages,
    session,
    stream_template_string,
    stream_with_context,
)

from sessionkit import ResponseStartedError
from sessionkit_flask import SessionKit

SECRET = "flask afterwards: 0123456789abcdefghijklmnopqrstuvwxyz"
HTTPS = "https://localhost"


@pytest.fixture
def app() -> Flask:
    app = Flask("afterwards")
    app.config.update(SECRET_KEY=SECRET, SESSION_COOKIE_SECURE=True, TESTING=True)
    SessionKit(app)

    @app.get("/")
    def index() -> str:
        flash("hello")
        flash("careful", "warning")
        session["cart"] = ["tea"]
        return "ok"

    @app.get("/show")
    def show() -> dict[str, object]:
        return {"shown": get_flashed_messages()}

    @app.get("/stream")
    def stream() -> Response:
        def body():
            yield "<"
            yield ",".join(get_flashed_messages())

        return Response(stream_with_context(body()))

    @app.get("/template")
    def template():
        return stream_template_string("<{{ get_flashed_messages() }}")

    return app


@pytest.mark.parametrize("read", [False, True])
def test_flashed_messages_are_read(app, read):
    with app.test_client() as client:
        answer = client.get("/", base_url=HTTPS)
        assert not read or answer.text == "ok"
        assert get_flashed_messages() == ["hello", "careful"]
        assert get_flashed_messages(with_categories=True)[1] == ("warning", "careful")
        assert [text for _, text in session["_flashes"]] == ["hello", "careful"]


def test_to_read_them_takes_none_from_the_browser(app):
    with app.test_client() as client:
        client.get("/", base_url=HTTPS)
        assert get_flashed_messages() == ["hello", "careful"]
        shown = client.get("/show", base_url=HTTPS).json
        assert shown == {"shown": ["hello", "careful"]}
        assert client.get("/show", base_url=HTTPS).json == {"shown": []}


@pytest.mark.parametrize(
    "write",
    [
        lambda: session.update(x=1),
        lambda: session.pop("cart"),
        lambda: session.clear(),  # noqa: PLW0108  # a proxy, which has nothing to look up yet
        lambda: flash("too late"),
        lambda: session.update(_flashes=[]),
    ],
)
def test_what_is_written_is_still_too_late(app, write):
    with app.test_client() as client:
        client.get("/", base_url=HTTPS)
        assert session["cart"] == ["tea"]
        with pytest.raises(ResponseStartedError):
            write()


@pytest.mark.parametrize("path", ["/stream", "/template"])
def test_a_stream_that_shows_messages_cannot_take_them_out(app, path):
    # They would be shown again on the next page.
    client = app.test_client()
    client.get("/", base_url=HTTPS)
    with pytest.raises(ResponseStartedError):
        client.get(path, base_url=HTTPS).get_data()
