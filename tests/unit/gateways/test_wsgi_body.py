"""The WSGI gateway: the body and its context, and gateways inside gateways."""

from __future__ import annotations

import contextvars
import threading
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper

import pytest

import sessionkit
from sessionkit import (
    CookieSettings,
    EventKind,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    delete_session,
    get_session,
    update_session,
)
from sessionkit._exchange.request import HOLDER

from ..scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene, names
from ..served import answering, environ_of
from .wsgi_visits import HTML, generator_app, kinds, signed_in, visit

# ---- the body and its context


def test_the_body_is_iterated_in_the_context_of_the_request() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", HTML)
        return (repr(get_session()["user"]["sub"]).encode() for _ in range(2))

    assert visit(scene, scene.store.wsgi(app)).body == b"'alice''alice'"


def test_a_write_from_the_body_comes_too_late_and_says_so() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", HTML)

        def body() -> Any:
            with pytest.raises(ResponseStartedError):
                update_session({**ALICE, "n": 1})
            with pytest.raises(ResponseStartedError):
                get_session()["n"] = 1
            yield b"done"

        return body()

    assert visit(scene, scene.store.wsgi(app)).body == b"done"


def test_a_nested_change_from_the_body_is_reported_when_the_request_ends() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        get_session()
        start_response("200 OK", HTML)

        def body() -> Any:
            get_session()["user"]["late"] = 1
            yield b"done"

        return body()

    visit(scene, scene.store.wsgi(app))
    assert kinds(scene) == [EventKind.LATE_CHANGE]


class Body:
    def __init__(self, *, fails: bool = False) -> None:
        self.closed = 0
        self.seen: Any = None
        self.fails = fails

    def __iter__(self) -> Any:
        return iter([b"x"])

    def close(self) -> None:
        self.closed += 1
        self.seen = get_session()
        if self.fails:
            raise OSError("close failed")


def body_of(scene: Scene, body: Any) -> Any:
    return scene.store.wsgi(
        lambda environ, start_response: (start_response("200 OK", HTML), body)[1]
    )(environ_of(scene.browser.jar.header()), lambda *args: None)


def test_close_reaches_the_application_in_its_context() -> None:
    scene, body = signed_in(), Body()
    served = body_of(scene, body)
    assert list(served) == [b"x"]
    served.close()
    assert (body.closed, dict(body.seen)) == (1, ALICE)


def test_close_runs_even_where_the_context_is_entered_already() -> None:
    scene, closed = signed_in(), []

    class Inside:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> bytes:
            served.close()  # as a greenlet may, while another is inside `next`
            raise StopIteration

        def close(self) -> None:
            closed.append(True)

    served = body_of(scene, Inside())
    assert list(served) == []
    assert closed == [True]


def test_a_runtime_error_of_the_application_is_not_taken_for_a_context_in_use() -> None:
    scene, calls = signed_in(), []

    def body() -> Any:
        calls.append(1)
        raise RuntimeError("mine")
        yield b""

    with pytest.raises(RuntimeError, match="mine"):
        list(body_of(scene, body()))
    assert calls == [1]


def test_the_request_ends_even_when_close_fails() -> None:
    scene, body = signed_in(), Body(fails=True)
    environ = environ_of(scene.browser.jar.header())
    served = scene.store.wsgi(
        lambda environ, start_response: (start_response("200 OK", HTML), body)[1]
    )(environ, lambda *args: None)
    exchange = environ[HOLDER]
    with pytest.raises(OSError, match="close failed"):
        served.close()
    assert exchange.phase.name == "ENDED"


def test_an_iterable_without_close_can_be_closed() -> None:
    scene = signed_in()
    served = body_of(scene, iter([b"x"]))
    served.close()
    assert list(served) == [b"x"]


def test_nothing_is_left_in_the_context_of_the_server() -> None:
    scene = signed_in()
    contextvars.Context().run(visit, scene, scene.store.wsgi(answering(get_session)))
    with pytest.raises(NoActiveRequestError, match="no request is being served here"):
        get_session()


def test_a_thread_finds_the_session_through_bind_and_not_without() -> None:
    scene, seen = signed_in(), []

    def attempt() -> None:
        try:
            seen.append(get_session()["user"]["sub"])
        except NoActiveRequestError as error:
            seen.append(type(error))

    def view() -> None:
        for function in (attempt, sessionkit.bind(attempt)):
            thread = threading.Thread(target=function)
            thread.start()
            thread.join()

    visit(scene, scene.store.wsgi(answering(view)))
    assert seen == [NoActiveRequestError, "alice"]


# ---- gateways inside gateways


def test_a_second_gateway_of_the_same_store_sets_one_cookie() -> None:
    scene = signed_in()
    app = scene.store.wsgi(scene.store.wsgi(answering(lambda: update_session({**ALICE, "n": 1}))))
    assert names(visit(scene, app).lines) == ["__Host-session"]


def test_a_second_gateway_of_an_equal_store_streams_through() -> None:
    scene = signed_in()
    equal = SessionStore(SECRET, clock=scene.clock)
    assert visit(scene, scene.store.wsgi(equal.wsgi(generator_app))).body == b"TrueTrue"
    assert scene.browser.session() == {**ALICE, "late": True}


def test_two_secrets_under_one_cookie_name_are_refused() -> None:
    scene = signed_in()
    app = scene.store.wsgi(SessionStore(OTHER_SECRET).wsgi(answering(get_session)))
    with pytest.raises(sessionkit.ConfigurationError, match="'__Host-session' in one request"):
        app(environ_of(), lambda *args: None)


def test_two_stores_of_two_names_each_keep_their_own() -> None:
    scene = signed_in()
    admin = SessionStore(
        OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"), clock=scene.clock
    )

    def app(environ: Any, start_response: Any) -> list[bytes]:
        assert dict(scene.store.get_session() or {}) == ALICE
        assert admin.get_session(environ) is None
        admin.create_session(environ, BOB)
        scene.store.update_session({**ALICE, "n": 1})
        with pytest.raises(TypeError, match="'__Host-admin' and '__Host-session'"):
            get_session()
        start_response("200 OK", HTML)
        return [b""]

    answer = visit(scene, scene.store.wsgi(admin.wsgi(app)))
    assert names(answer.lines) == ["__Host-admin", "__Host-session"]
    assert scene.browser.session() == {**ALICE, "n": 1}


def test_after_the_inner_application_the_outer_store_is_still_served() -> None:
    scene = signed_in()
    admin = SessionStore(
        OTHER_SECRET, cookie=CookieSettings(name="__Host-admin"), clock=scene.clock
    )
    inner = admin.wsgi(answering(lambda: None))

    def app(environ: Any, start_response: Any) -> Any:
        body = inner(environ, lambda *args: None)
        assert scene.store.update_session(environ, {**ALICE, "n": 1}) is True
        start_response("200 OK", HTML)
        return body

    visit(scene, scene.store.wsgi(app))
    assert scene.browser.session() == {**ALICE, "n": 1}


@pytest.mark.parametrize("closed", [True, False])
def test_an_environ_used_again_begins_anew(closed: bool) -> None:
    scene, bob = signed_in(), Scene()
    bob.browser.login(BOB)
    app = scene.store.wsgi(
        lambda environ, start_response: (
            start_response("200 OK", HTML) or iter([repr(get_session()["user"]["sub"]).encode()])
        )
    )
    environ, started = environ_of(scene.browser.jar.header()), []
    first = app(environ, lambda *args: started.append(args))
    assert list(first) == [b"'alice'"]
    if closed:
        first.close()
    environ["HTTP_COOKIE"] = bob.browser.jar.header()
    second = app(environ, lambda *args: started.append(args))
    assert list(second) == [b"'bob'"]
    second.close()
    with pytest.raises(NoActiveRequestError):
        second._context.run(get_session)


# ---- excluded paths


def test_an_excluded_path_has_no_session() -> None:
    scene, seen = signed_in(), []

    def app(environ: Any, start_response: Any) -> Any:
        seen.extend(
            [
                get_session(),
                get_session(environ),
                scene.store.get_session(environ),
                scene.store.get_session(),
            ]
        )
        for write in (
            lambda: update_session(ALICE),
            lambda: update_session(environ, ALICE),
            delete_session,
        ):
            with pytest.raises(NoActiveRequestError, match="excluded"):
                write()
        start_response("200 OK", HTML)
        return [b""]

    gateway = scene.store.wsgi(app, exclude=["/static/*", "/health"])
    assert [
        visit(scene, gateway, path=path).headers.count(("Vary", "Cookie"))
        for path in ("/static/a/b.css", "/health")
    ] == [0, 0]
    assert seen == [None] * 8


def test_exclude_may_be_one_glob_and_leaves_the_other_paths_alone() -> None:
    scene = signed_in()
    gateway = scene.store.wsgi(answering(lambda: get_session() is None), exclude="/static/*")
    assert [
        visit(scene, gateway, path=path).body for path in ("/static/x", "/static", "/x/static/x")
    ] == [b"True", b"False", b"False"]


def test_an_excluded_path_is_streamed_and_its_files_go_back_unwrapped() -> None:
    scene, file = Scene(), FileWrapper(BytesIO(b"x"))
    gateway = scene.store.wsgi(
        lambda environ, start_response: iter([repr(get_session()).encode()]), exclude="*"
    )
    served = gateway(environ_of(), lambda *args: None)
    assert list(served) == [b"None"]
    served.close()
    gateway = scene.store.wsgi(lambda environ, start_response: file, exclude="*")
    assert gateway(environ_of(**{"wsgi.file_wrapper": FileWrapper}), lambda *args: None) is file


def test_the_failure_of_a_body_on_an_excluded_path_is_the_servers() -> None:
    scene = Scene()

    def app(environ: Any, start_response: Any) -> Any:
        raise OSError("failed")
        yield b""

    with pytest.raises(OSError, match="failed"):
        list(scene.store.wsgi(app, exclude="*")(environ_of(), lambda *args: None))
