"""flask.session: Flask's own extras, and the places where other session extensions lose writes."""

from __future__ import annotations

import threading

import flask
import pytest
from flask import Flask, copy_current_request_context, flash, get_flashed_messages, request, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, create_environ

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    SessionTooLargeError,
    bind,
    create_session,
    delete_session,
    get_session,
    update_session,
)
from sessionkit_flask import SessionKit

SECRET = "flask tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


@pytest.fixture
def store() -> SessionStore:
    return SessionStore(SECRET)


@pytest.fixture
def app(store: SessionStore) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.testing = True
    SessionKit(app, store=store)
    app.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    app.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    app.add_url_rule("/all", "/all", lambda: dict(session))
    return app


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")]


# ---- Flask's extras


def test_session_transaction_writes_what_a_request_reads(app):
    client = app.test_client()
    with client.session_transaction() as opened:
        opened["user"] = {"sub": "ann"}
        opened["cart"] = {"items": ["tea"]}
    assert client.get("/me").json == {"user": {"sub": "ann"}, "cart": {"items": ["tea"]}}


def test_session_transaction_reads_what_a_request_wrote_and_saves_nested_changes(app):
    client = app.test_client()
    client.get("/login")
    with client.session_transaction() as opened:
        assert opened["user"] == {"sub": "ann"}
        opened["user"]["name"] = "Ann"
    assert client.get("/me").json == {"user": {"sub": "ann", "name": "Ann"}}


def test_session_transaction_grows_into_chunks(app):
    client = app.test_client()
    with client.session_transaction() as opened:
        opened.update(user={"sub": "ann"}, big="x" * 5000)
    assert client.get_cookie("__Host-session.1") is not None
    assert len(client.get("/me").json["big"]) == 5000


def test_session_transaction_that_empties_the_session_is_a_logout(app):
    client = app.test_client()
    client.get("/login")
    with client.session_transaction() as opened:
        opened.clear()
    assert client.get_cookie("__Host-session") is None
    assert client.get("/me").json == {}


def test_flashed_messages_come_once_and_as_tuples(app):
    @app.get("/flash")
    def flash_twice():
        flash("saved")
        flash("careful", "warning")
        return ""

    @app.get("/messages")
    def messages():
        found = get_flashed_messages(with_categories=True)
        return {
            "found": [list(one) for one in found],
            "kinds": [type(one).__name__ for one in found],
        }

    client = app.test_client()
    client.get("/flash")
    assert client.get("/messages").json == {
        "found": [["message", "saved"], ["warning", "careful"]],
        "kinds": ["tuple", "tuple"],
    }
    assert client.get("/messages").json == {"found": [], "kinds": []}


def test_flashing_twice_in_two_requests_keeps_both(app):
    app.add_url_rule("/flash", "/flash", lambda: flash(request.args["m"]) or "")
    app.add_url_rule("/messages", "/messages", lambda: {"found": get_flashed_messages()})
    client = app.test_client()
    client.get("/flash?m=a")
    client.get("/flash?m=b")
    assert client.get("/messages").json == {"found": ["a", "b"]}


@pytest.mark.parametrize(
    ("transient", "permanent", "max_age"),
    [(False, None, True), (False, False, False), (True, None, False), (True, True, True)],
)
def test_permanent_decides_whether_the_browser_forgets_it(transient, permanent, max_age):
    app = Flask(__name__)
    SessionKit(app, store=SessionStore(SECRET, cookie=CookieSettings(transient=transient)))

    @app.get("/")
    def index():
        session["a"] = 1
        if permanent is not None:
            session.permanent = permanent
        return {"permanent": session.permanent}

    answer = app.test_client().get("/")
    assert answer.json == {"permanent": bool(permanent)}
    assert ("Max-Age=" in answer.headers["Set-Cookie"]) is max_age


def test_modified_is_true_exactly_when_something_differs(app):
    @app.get("/modified")
    def modified():
        found = [session.modified]
        session["user"]["name"] = "Ann"
        found.append(session.modified)
        del session["user"]["name"]
        found.append(session.modified)
        session.modified = True  # what an extension without change detection needs
        return {"found": [*found, session.modified]}

    client = app.test_client()
    client.get("/login")
    answer = client.get("/modified")
    assert answer.json == {"found": [False, True, False, False]}
    assert names(answer) == []


def test_the_session_is_in_templates(app):
    app.add_url_rule(
        "/page",
        "/page",
        lambda: flask.render_template_string(
            "{{ session.user.sub }} {{ session.get('nothing', 'no') }}"
        ),
    )
    client = app.test_client()
    client.get("/login")
    assert client.get("/page").text == "ann no"


def test_its_repr_shows_no_value(app):
    app.add_url_rule("/repr", "/repr", lambda: repr(session))
    client = app.test_client()
    client.get("/login")
    assert client.get("/repr").text == "<FlaskSession keys=['user']>"


# ---- when nothing is decrypted, and what a request costs


def test_a_static_file_and_a_404_do_not_look_at_the_session(store, tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    app = Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    SessionKit(app, store=store)
    client = app.test_client()
    client.set_cookie("__Host-session", "x")
    for path, status in (("/static/a.css", 200), ("/nothing", 404)):
        with client.get(path) as answer:
            assert answer.status_code == status
            assert "Cookie" not in answer.vary
            assert names(answer) == []


def test_a_template_that_does_not_use_the_session_does_not_look_at_it(app):
    app.add_url_rule("/page", "/page", lambda: flask.render_template_string("hello"))
    assert "Cookie" not in app.test_client().get("/page").vary


# ---- threads, generators, nested applications


def test_a_thread_with_flasks_context_has_flask_session_and_the_explicit_form_only(app):
    @app.get("/thread")
    def thread():
        found = {}

        @copy_current_request_context
        def work():
            found["framework"] = session["user"]["sub"]
            found["explicit"] = (get_session(request) or {})["user"]["sub"]
            try:
                get_session()
            except NoActiveRequestError:
                found["implicit"] = "NoActiveRequestError"

        started = threading.Thread(target=work)
        started.start()
        started.join()
        return found

    client = app.test_client()
    client.get("/login")
    assert client.get("/thread").json == {
        "framework": "ann",
        "explicit": "ann",
        "implicit": "NoActiveRequestError",
    }


def test_a_thread_with_flasks_context_and_bind_has_all_forms(app):
    @app.get("/thread")
    def thread():
        @bind
        @copy_current_request_context
        def work():
            update_session({**(get_session() or {}), "by": "a thread"})
            session["user"]["name"] = "Ann"

        started = threading.Thread(target=work)
        started.start()
        started.join()
        return ""

    client = app.test_client()
    client.get("/login")
    client.get("/thread")
    assert client.get("/me").json == {"user": {"sub": "ann", "name": "Ann"}, "by": "a thread"}


def test_applications_side_by_side_under_one_dispatcher_share_the_session(app, store):
    admin = Flask("admin")
    SessionKit(admin, store=store)
    admin.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    client = Client(DispatcherMiddleware(app, {"/admin": admin}))
    client.get("/login")
    assert client.get("/admin/me").json == ANN


def test_one_sessionkit_serves_several_applications(store):
    kit = SessionKit(store=store)
    first, second = Flask("first"), Flask("second")
    for one in (first, second):
        kit.init_app(one)
        one.add_url_rule("/me", "/me", lambda: dict(get_session() or {}))
    first.add_url_rule("/login", "/login", lambda: dict(create_session(ANN)))
    client = Client(DispatcherMiddleware(first, {"/second": second}))
    client.get("/login")
    assert client.get("/second/me").json == ANN


def test_a_middleware_put_around_it_afterwards_stays_around_it(app):
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1)
    client = app.test_client()
    client.get("/login")
    assert client.get("/me").json == ANN


def test_a_request_context_of_a_test_has_a_session_without_any_server(app):
    with app.test_request_context("/"):
        session["cart"] = ["tea"]
        assert session["cart"] == ["tea"]
        response = app.process_response(app.make_response(""))
    assert names(response) == ["__Host-session"]


def test_a_request_context_keeps_the_session_that_came(app):
    client = app.test_client()
    client.get("/login")
    cookie = client.get_cookie("__Host-session")
    with app.test_request_context("/", headers={"Cookie": f"__Host-session={cookie.value}"}):
        assert get_session(request) == ANN
        assert session == ANN


# ---- errors


def test_what_is_too_large_is_the_applications_error_and_has_its_page(app):
    app.testing = False
    app.add_url_rule("/big", "/big", lambda: session.update(big="x" * 9000) or "")
    app.register_error_handler(
        SessionTooLargeError, lambda error: (f"too large: {error}"[:40], 507)
    )
    app.register_error_handler(500, lambda error: (type(error.original_exception).__name__, 500))
    client = app.test_client()
    client.get("/login")
    answer = client.get("/big")
    assert (answer.status_code, answer.text) == (500, "SessionTooLargeError")
    assert client.get("/me").json == ANN


def test_what_is_too_large_raises_where_flask_propagates(app):
    app.add_url_rule("/big", "/big", lambda: session.update(big="x" * 9000) or "")
    with pytest.raises(SessionTooLargeError):
        app.test_client().get("/big")


def test_an_exception_that_propagates_saves_nothing(app):
    @app.get("/fails")
    def fails():
        session["n"] = 1
        raise ZeroDivisionError

    client = app.test_client()
    client.get("/login")
    with pytest.raises(ZeroDivisionError):
        client.get("/fails")
    assert client.get("/all").json == ANN


def test_a_logout_survives_an_exception_that_propagates(app):
    @app.get("/fails")
    def fails():
        delete_session()
        raise ZeroDivisionError

    started = []
    cookie = app.test_client().get("/login").headers["Set-Cookie"].partition(";")[0]
    environ = create_environ("/fails", headers={"Cookie": cookie})
    body = app.wsgi_app(
        environ, lambda status, headers, exc_info=None: started.append((status, headers))
    )
    assert list(body) == [b""]  # the gateway answers, else the logout would be lost
    ((status, headers),) = started
    assert status == "500 Internal Server Error"
    lines = [value.partition(";")[0] for name, value in headers if name == "Set-Cookie"]
    assert lines[:2] == ["__Host-session=", "__Host-seen.session="]
    assert lines[2].startswith("__Host-out.session=")


def test_after_request_functions_write_too(app):
    @app.after_request
    def count(response):
        session["n"] = session.get("n", 0) + 1
        return response

    client = app.test_client()
    client.get("/login")
    client.get("/me")
    assert client.get("/me").json == {**ANN, "n": 2}


def test_a_url_converter_reads_the_session(app):
    from werkzeug.routing import BaseConverter

    class Mine(BaseConverter):
        def to_python(self, value):
            return f"{value} of {session['user']['sub']}"

    app.url_map.converters["mine"] = Mine
    app.add_url_rule("/thing/<mine:one>", "/thing/<mine:one>", lambda one: one)
    client = app.test_client()
    client.get("/login")
    assert client.get("/thing/book").text == "book of ann"
