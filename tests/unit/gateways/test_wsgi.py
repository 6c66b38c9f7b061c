"""The WSGI gateway: the environ, and all ways to start a response."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from sessionkit import EventKind, IdentityChangedError, get_session, touch_session, update_session

from ..scene import ALICE, Scene, names
from ..served import answering, environ_of
from .wsgi_visits import HTML, generator_app, kinds, signed_in, visit


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
