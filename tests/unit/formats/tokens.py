"""Tokens as other libraries would seal them, put into a test's browser."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sessionkit._session.base64url import encode

from ..scene import Scene


def id_token(**claims: Any) -> str:
    """An id_token with these claims; nobody looks at its signature."""
    return f"e30.{encode(json.dumps(claims).encode()).decode()}.sig"


def sealed_by_their_library(scene: Scene, payload: dict[str, Any]) -> str:
    """A token with this payload; times that stand in its header, or that the library keeps, are those of the session there is."""
    exchange = scene.browser.visit().exchange
    codec, stamp = scene.store.settings.codec, exchange.contents.stamp
    if stamp is not None:
        before = codec.payload(dict(exchange.contents), replace(stamp, mark=None))
        kept = {key: before[key] for key in ("internal", "exp") if key in before}
        payload = {**kept, **payload}
    return codec.seal(json.dumps(payload).encode(), stamp)  # type: ignore[arg-type]  # of a stamp only some formats make use


def put(scene: Scene, token: str) -> None:
    """Give the browser a token, in the cookie or first chunk of the store's session."""
    settings = scene.store.settings
    name = f"{settings.chunk}0" if settings.layout.numbered else settings.name
    scene.browser.jar.receive([f"{name}={token}; Path=/; Secure"])
