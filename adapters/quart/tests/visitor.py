"""A browser, and what its responses set."""

from __future__ import annotations

from quart import Quart

SECRET, OLD = (
    "quart tests: 0123456789abcdefghijklmnopqrstuvwxyz",
    "old key: 0123456789abcdefghijklmnopqrstuvwxyz",
)


ANN = {"user": {"sub": "ann"}}


class Browser:
    """Quart's client, over https: our cookies are Secure."""

    def __init__(self, app: Quart) -> None:
        self.client = app.test_client()

    async def ask(self, path, method="GET", **named):
        return await self.client.open(path, method=method, scheme="https", **named)

    async def text(self, path, **named):
        return await (await self.ask(path, **named)).get_data(as_text=True)

    async def json(self, path, **named):
        return await (await self.ask(path, **named)).json

    @property
    def names(self):
        return {one.name for one in self.client.cookie_jar}


def names(answer) -> list[str]:
    return [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")]
