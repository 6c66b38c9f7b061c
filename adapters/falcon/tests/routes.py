"""Resources of one function."""

from __future__ import annotations

SECRET = "falcon tests: 0123456789abcdefghijklmnopqrstuvwxyz"
ANN = {"user": {"sub": "ann"}}


class Route:
    """A resource of one function, WSGI and ASGI."""

    def __init__(self, function):
        self.function = function

    def on_get(self, req, resp, **params):
        given = self.function(req, resp, **params)
        if resp.media is None and given is not None:
            resp.media = given


class AsyncRoute(Route):
    async def on_get(self, req, resp, **params):
        super().on_get(req, resp, **params)
