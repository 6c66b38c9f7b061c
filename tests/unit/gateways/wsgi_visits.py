"""A visit to a WSGI application."""

from __future__ import annotations

from typing import Any

from sessionkit import EventKind, get_session, update_session

from ..scene import ALICE, Scene
from ..served import serve_wsgi

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


def generator_app(environ: Any, start_response: Any) -> Any:
    update_session({**ALICE, "late": True})
    start_response("200 OK", HTML)
    yield repr(get_session()["late"]).encode()
    yield repr(get_session()["late"]).encode()
