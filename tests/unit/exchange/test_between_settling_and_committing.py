"""Time that passes between the last question of an async driver and the commit of the response."""

import asyncio

import pytest

from sessionkit import Lifetime, SessionStore
from sessionkit._exchange.drivers import aload, asettle
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend

from ..scene import ALICE, SECRET, Clock

LIFETIME = Lifetime(idle=3600, renew_after=300)


@pytest.mark.parametrize("passed", [0, 299, 300, 4000], ids=["none", "before", "due", "over"])
def test_no_operation_falls_due_between_the_two(passed):
    clock = Clock()
    backend = MemoryBackend(clock=clock)
    store = SessionStore(SECRET, backend=backend, clock=clock, lifetime=LIFETIME)
    with store.exchange() as begun:
        begun.create(ALICE)
    cookie = dict(begun.response_headers)["Set-Cookie"].partition(";")[0]

    async def answer():
        exchange = Exchange(store.settings, HeaderRequest(cookie))
        await aload(exchange)
        assert exchange.get() == ALICE
        await asettle(exchange)
        clock.wait(passed)
        return [name for name, _ in exchange.commit().add]

    assert asyncio.run(answer()) == ["Vary", "Cache-Control"]
