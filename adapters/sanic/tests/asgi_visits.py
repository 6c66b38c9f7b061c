"""Ask a Sanic application over ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

from sanic import Sanic


async def start_asgi(app: Sanic) -> None:
    """Let an application start, and stop at once: Sanic then serves."""
    events = iter(["startup", "shutdown"])

    async def lifespan():
        return {"type": f"lifespan.{next(events)}"}

    async def send(message):
        """Do nothing."""

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, lifespan, send)


def ask_asgi(app: Sanic, *scopes: dict[str, Any], host: bytes = b"localhost") -> list[Any]:
    """The messages that are sent for each of the scopes; a scope without a cookie is given the latest that was set."""
    answers: list[Any] = []

    async def run() -> None:
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            # Sanic gives the fields as a generator.
            fields = {"headers": list(message["headers"])} if "headers" in message else {}
            answers[-1].append({**message, **fields})

        await start_asgi(app)
        cookie = b""
        for scope in scopes:
            answers.append([])
            path = scope["path"]
            headers = [(b"host", host), (b"cookie", b"a=1"), (b"cookie", cookie)]
            await app(
                {"http_version": "1.1", "method": "GET", "raw_path": path.encode(), "query_string": b"", "headers": headers,
                 "server": ("localhost", 443), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}, **scope}, receive, send
            )  # fmt: skip
            for name, value in answers[-1][0].get("headers", []):
                cookie = value.partition(b";")[0] if name.lower() == b"set-cookie" else cookie

    asyncio.run(run())
    return answers
