"""A visit to an ASGI application."""

from __future__ import annotations

from typing import Any

from sessionkit import EventKind, NoActiveRequestError, get_session

from ..scene import ALICE, Scene
from ..served import serve_asgi

CHANGED = {**ALICE, "n": 1}


def signed_in(**settings: Any) -> Scene:
    scene = Scene(**settings)
    scene.browser.login()
    return scene


def visit(scene: Scene, app: Any, **request: Any) -> Any:
    answer = serve_asgi(app, scene.browser.jar.header(), **request).answer
    scene.browser.jar.receive(answer.lines)
    return answer


def kinds(scene: Scene) -> list[EventKind]:
    return [event.kind for event in scene.events]


def who() -> Any:
    """Whose session is in reach here, or the error that says there is none."""
    try:
        session = get_session()
    except NoActiveRequestError as error:
        return type(error)
    return session and session["user"]["sub"]


async def start(send: Any, **more: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [], **more})


async def end(send: Any, body: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": body})
