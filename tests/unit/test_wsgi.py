"""The WSGI gateway: PEP 3333 and its traps."""

from __future__ import annotations

import contextvars
import threading
from contextlib import closing
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

import sessionkit
from sessionkit import (
    CookieSettings,
    EventKind,
    IdentityChangedError,
    NoActiveRequestError,
    ResponseStartedError,
    SessionStore,
    delete_session,
    get_session,
    touch_session,
    update_session,
)
from sessionkit.exchange import ENDED
from sessionkit.request import HOLDER

from .scene import ALICE, BOB, OTHER_SECRET, SECRET, Scene, names
from .served import answering, environ_of, serve_wsgi

HTML = [("Content-Type", "text/html")]


def signed_in(**settings: Any) -> Scene:
    scene = Scene(**settings)
    scene.browser.login()
    return scene


def visit(scene: Scene, app: Any, **request: Any) -> Any:
    answer = serve_wsgi(app, scene.browser.jar.header(), **request)
    scene.browser.jar.receive(answer.lines)
    return answer


def kinds(scene: Scene) -> list[EventKind]:
    return [event.kind for event in scene.events]


def test_a_view_reads_its_session_without_an_argument() -> None:
    scene = signed_in()
    assert (
        visit(scene, scene.store.wsgi(answering(lambda: dict(get_session() or {})))).body
        == repr(ALICE).encode()
    )


def test_an_update_reaches_the_browser() -> None:
    scene = signed_in()
    visit(scene, scene.store.wsgi(answering(lambda: update_session({**ALICE, "theme": "dark"}))))
    assert scene.browser.session() == {**ALICE, "theme": "dark"}


def test_a_change_in_place_and_deep_down_reaches_the_browser() -> None:
    scene = signed_in()
    visit(scene, scene.store.wsgi(answering(lambda: get_session()["user"].update(name="Alice"))))
    assert scene.browser.session()["user"]["name"] == "Alice"


def test_the_implicit_and_the_explicit_form_see_one_session() -> None:
    scene = signed_in()
    seen = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        scene.store.update_session(environ, {**ALICE, "n": 1})
        seen.append(get_session() is scene.store.get_session(environ) is get_session(environ))
        start_response("200 OK", HTML)
        return [b""]

    visit(scene, scene.store.wsgi(app))
    assert seen == [True]


def test_a_request_nobody_asks_for_its_session_goes_through_untouched() -> None:
    scene, seen, headers, body = signed_in(), [], list(HTML), [b"x"]
    environ = environ_of(scene.browser.jar.header())
    app = scene.store.wsgi(
        lambda environ, start_response: start_response("200 OK", headers) or body
    )
    assert app(environ, lambda *args: seen.append(args)) is body
    assert seen == [("200 OK", headers)]
    assert seen[0][1] is headers


def test_a_list_a_tuple_and_a_file_go_back_unwrapped() -> None:
    scene = Scene()
    for body in ([b"x"], (b"x",), FileWrapper(BytesIO(b"x"))):
        app = scene.store.wsgi(
            lambda environ, start_response, body=body: start_response("200 OK", HTML) or body
        )
        assert app(environ_of(**{"wsgi.file_wrapper": FileWrapper}), lambda *args: None) is body


def test_a_file_of_a_server_whose_wrapper_is_no_class_is_served_all_the_same() -> None:
    scene = Scene()
    app = scene.store.wsgi(
        lambda environ, start_response: (
            start_response("200 OK", HTML) or environ["wsgi.file_wrapper"](BytesIO(b"ab"))
        )
    )
    environ = environ_of(**{"wsgi.file_wrapper": lambda file, size=8192: FileWrapper(file, size)})
    assert list(app(environ, lambda *args: None)) == [b"ab"]


def test_the_validator_finds_nothing_on_either_side() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        update_session({**ALICE, "n": 1})
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"a", b"b"])

    answer = visit(scene, validator(scene.store.wsgi(validator(app))))
    assert (answer.status, answer.body, answer.log) == (200, b"ab", "")
    assert scene.browser.session() == {**ALICE, "n": 1}


# ---- start_response


def generator_app(environ: Any, start_response: Any) -> Any:
    update_session({**ALICE, "late": True})
    start_response("200 OK", HTML)
    yield repr(get_session()["late"]).encode()
    yield repr(get_session()["late"]).encode()


def test_an_application_that_is_a_generator_starts_its_response_late() -> None:
    scene = signed_in()
    assert visit(scene, scene.store.wsgi(generator_app)).body == b"TrueTrue"
    assert scene.browser.session() == {**ALICE, "late": True}


def test_a_second_start_response_with_exc_info_is_answered_anew() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        update_session({**ALICE, "n": 1})
        start_response("200 OK", HTML)
        try:
            raise OSError("the template failed")
        except OSError as error:
            start_response("500 Oops", HTML, (OSError, error, None))
        return [b"sorry"]

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, answer.lines, answer.body) == (500, [], b"sorry")
    assert EventKind.ROLLED_BACK in kinds(scene)


def test_a_second_start_response_after_the_headers_are_out_raises_what_the_application_raised() -> (
    None
):
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", HTML)
        write(b"begun")
        try:
            raise OSError("the disk failed")
        except OSError as error:
            start_response("500 Oops", HTML, (OSError, error, error.__traceback__))
        return []

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, answer.body) == (200, b"begun")
    assert "the disk failed" in answer.log


def test_write_works_and_carries_the_session() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        update_session({**ALICE, "n": 1})
        start_response("200 OK", HTML)(b"written ")
        return [b"returned"]

    assert visit(scene, scene.store.wsgi(app)).body == b"written returned"
    assert scene.browser.session() == {**ALICE, "n": 1}


def test_headers_that_are_no_list_are_not_lost() -> None:
    scene, seen = signed_in(), []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        get_session()
        start_response("200 OK", (field for field in HTML))
        return [b""]

    scene.store.wsgi(app)(
        environ_of(scene.browser.jar.header()), lambda status, headers: seen.append(headers)
    )
    assert seen == [[*HTML, ("Vary", "Cookie"), ("Cache-Control", "private")]]


@pytest.mark.parametrize("status", [200, 302, 404])
def test_a_session_is_saved_whatever_the_application_answers_below_500(status: int) -> None:
    scene = signed_in()
    visit(scene, scene.store.wsgi(answering(lambda: update_session({**ALICE, "n": 1}), status)))
    assert scene.browser.session() == {**ALICE, "n": 1}


def test_a_500_drops_the_update() -> None:
    scene = signed_in()
    assert (
        visit(
            scene, scene.store.wsgi(answering(lambda: update_session({**ALICE, "n": 1}), 500))
        ).lines
        == []
    )


def test_a_head_request_carries_the_session() -> None:
    scene = signed_in()
    answer = visit(
        scene, scene.store.wsgi(answering(lambda: update_session({**ALICE, "n": 1}))), method="HEAD"
    )
    assert names(answer.lines) == ["__Host-session"]


def test_a_304_does_not_renew_and_does_what_a_verb_says() -> None:
    scene = signed_in()
    scene.clock.wait(3600)
    assert visit(scene, scene.store.wsgi(answering(get_session, 304))).lines == []
    assert names(visit(scene, scene.store.wsgi(answering(touch_session, 304))).lines) == [
        "__Host-seen.session"
    ]


def test_a_session_changed_into_another_users_is_not_sent() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        get_session()["user"].update(sub="admin")
        start_response("200 OK", HTML)
        return [b""]

    with pytest.raises(IdentityChangedError):
        scene.store.wsgi(app)(environ_of(scene.browser.jar.header()), lambda *args: None)


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


# ---- an application that fails


def failing_at(where: str) -> Any:
    """An application that logs out and fails."""

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        if where == "before":
            raise OSError("failed before")
        start_response("200 OK", HTML)
        if where == "after":
            raise OSError("failed after")
        return body()

    def body() -> Any:
        if where == "body":
            raise OSError("failed in the body")
        yield b"begun"
        raise OSError("failed in the midst")

    return app


@pytest.mark.parametrize("where", ["before", "after", "body"])
def test_a_logout_outlives_the_failure_of_the_application(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = signed_in()
    answer = visit(scene, scene.store.wsgi(failing_at(where)))
    assert (answer.status, answer.body) == (500, b"")
    assert names(answer.lines) == ["-__Host-session", "-__Host-seen.session", "__Host-out.session"]
    assert answer.values("cache-control") == ["private, no-store"]
    assert scene.browser.session() == {}
    assert [record.exc_info[0] for record in caplog.records] == [OSError]


def test_a_generator_that_fails_before_it_answers_is_answered_for() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        raise OSError("failed")
        yield b""

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, scene.browser.session()) == (500, {})


def test_an_empty_piece_of_the_body_is_not_its_beginning() -> None:
    scene = signed_in()
    started: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        start_response("200 OK", HTML)
        yield b""
        raise OSError("failed")

    served = scene.store.wsgi(app)(
        environ_of(scene.browser.jar.header()), lambda *args: started.append(args)
    )
    assert list(served) == [b""]
    assert [args[0] for args in started] == ["200 OK", "500 Internal Server Error"]


def test_a_failure_in_the_midst_of_the_body_is_the_servers() -> None:
    scene = signed_in()
    answer = visit(scene, scene.store.wsgi(failing_at("midst")))
    assert (answer.status, answer.body, scene.browser.session()) == (200, b"begun", {})
    assert "failed in the midst" in answer.log


def test_a_failure_after_write_is_the_servers() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        start_response("200 OK", HTML)(b"begun")
        raise OSError("failed after write")

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, answer.body, scene.browser.session()) == (200, b"begun", {})
    assert "failed after write" in answer.log


def test_a_login_over_a_session_that_fails_ends_the_earlier_one_and_begins_none() -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        sessionkit.create_session(BOB)
        raise OSError("failed")

    answer = visit(scene, scene.store.wsgi(app))
    assert (answer.status, names(answer.lines)[0], scene.browser.session()) == (
        500,
        "-__Host-session",
        {},
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_with_nothing_to_end_is_the_servers(late: bool) -> None:
    scene = signed_in()

    def app(environ: Any, start_response: Any) -> Any:
        update_session({**ALICE, "n": 1})
        if not late:
            raise OSError("failed")
        return body()

    def body() -> Any:
        raise OSError("failed")
        yield b""

    environ = environ_of(scene.browser.jar.header())
    with (
        pytest.raises(OSError, match="failed"),
        closing(scene.store.wsgi(app)(environ, lambda *args: None)) as answer,
    ):
        list(answer)
    assert environ[HOLDER].phase is ENDED
    assert kinds(scene) == [EventKind.ROLLED_BACK]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_process_that_is_told_to_stop_stops(kind: type[BaseException]) -> None:
    scene, started = signed_in(), []

    def app(environ: Any, start_response: Any) -> Any:
        delete_session()
        raise kind

    with pytest.raises(kind):
        scene.store.wsgi(app)(
            environ_of(scene.browser.jar.header()), lambda *args: started.append(args)
        )
    assert started == []


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
