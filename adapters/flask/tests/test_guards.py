"""The guards on the kinds of views that Flask has (the contract suite has the rest)."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from sessionkit import SessionStore, create_session
from sessionkit_flask import SessionKit, require_session_api, require_session_page


@pytest.fixture
def client():
    app = Flask(__name__)
    SessionKit(app, store=SessionStore("flask tests: 0123456789abcdefghijklmnopqrstuvwxyz"))
    app.add_url_rule("/login", "/login", lambda: dict(create_session({"user": {"sub": "ann"}})))

    @app.get("/async")
    @require_session_api
    async def coroutine():
        return "async"

    class Item(MethodView):
        decorators = [require_session_api]  # Flask's own way

        def get(self, one):
            return f"item {one}"

    class Page(MethodView):
        @require_session_page(login_url="/signin?from=page", logout_url="/signout", default="/home")
        def get(self):
            return "page"

        @require_session_page
        def post(self):
            return "posted"

    blueprint = Blueprint("shop", __name__, url_prefix="/shop")

    @blueprint.get("/cart")
    @require_session_page(login_url="/signin")
    def cart():
        return "cart"

    app.add_url_rule("/item/<one>", view_func=Item.as_view("item"))
    app.add_url_rule("/page", view_func=Page.as_view("page"))
    app.add_url_rule(
        "/signin",
        view_func=require_session_page(login_url="/signin", default="/home")(lambda: "in"),
        endpoint="signin",
    )
    app.register_blueprint(blueprint)
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "text"),
    [("/async", "async"), ("/item/1", "item 1"), ("/page", "page"), ("/shop/cart", "cart")],
)
def test_a_signed_in_user_passes(client, path, text):
    client.get("/login")
    assert client.get(path).text == text


@pytest.mark.parametrize("path", ["/async", "/item/1"])
def test_an_api_refuses_everybody_else(client, path):
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/page", 302, "/signin?from=page&returnTo=/page"),
        ("POST", "/page", 303, "/auth/login?returnTo=/"),
        ("GET", "/shop/cart?a=1", 302, "/signin?returnTo=/shop/cart%3Fa%3D1"),
        ("GET", "/signin", 302, "/signin?returnTo=/home"),
    ],
)
def test_a_page_sends_everybody_else_to_the_login(client, method, path, status, location):
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.headers["Location"]) == (status, location)


def test_the_view_keeps_its_name():
    @require_session_api
    def something():
        """What it does."""

    assert (something.__name__, something.__doc__) == ("something", "What it does.")
