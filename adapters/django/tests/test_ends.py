"""The end of a request is the end of its session object."""

from __future__ import annotations

import asyncio
import copy
from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from sessionkit._exchange.exchange import ENDED
from sessionkit_django import SessionMiddleware


def test_a_visitor_who_goes_away_takes_the_session_along():
    seen, begun = [], asyncio.Event()

    async def view(request):
        request.session["a"] = 1
        seen.append(request.session)
        begun.set()
        await asyncio.Event().wait()

    async def scenario():
        task = asyncio.create_task(SessionMiddleware(view)(RequestFactory().get("/")))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert seen[0].exchange.phase is ENDED


def test_the_request_is_closed_and_then_its_session_is_over():
    request = RequestFactory().post("/", {"a": BytesIO(b"a file")})
    assert request.FILES["a"].read() == b"a file"
    SessionMiddleware(lambda request: HttpResponse(str(request.session.get("a"))))(request)
    assert request.session.exchange.phase is not ENDED
    request.close()
    assert request.FILES["a"].closed
    assert request.session.exchange.phase is ENDED


def test_the_end_of_a_copied_request_is_not_that_of_its_original():
    def view(request):
        inner = copy.copy(request)
        SessionMiddleware(lambda request: HttpResponse())(inner)
        inner.close()
        request.session["a"] = 1
        return HttpResponse(str(request.session.exchange.phase is not ENDED))

    assert SessionMiddleware(view)(RequestFactory().get("/")).content == b"True"
