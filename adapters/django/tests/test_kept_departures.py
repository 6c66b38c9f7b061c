"""A visitor goes away while a session is saved on the server."""

from __future__ import annotations

import asyncio

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from kept import POINTER

from sessionkit import create_session, delete_session
from sessionkit_django import SessionMiddleware, project_store


@pytest.mark.parametrize("moment", ["login", "logout", "logout that is saved"])
def test_a_visitor_who_goes_away_stays_signed_out(awaited, moment):
    reached, insert = asyncio.Event(), awaited.insert

    async def insert_and_wait(*args):
        await insert(*args)
        reached.set()
        await asyncio.Event().wait()

    async def login(request):
        create_session({"user": {"sub": "ann"}})
        return HttpResponse()

    async def logout(request):
        delete_session()
        if moment == "logout":
            reached.set()
            await asyncio.Event().wait()
        awaited.waiting, awaited.held["delete"] = reached, asyncio.Event()
        return HttpResponse()

    async def scenario():
        request = RequestFactory().get("/", secure=True)
        if moment == "login":
            awaited.insert = insert_and_wait
        else:
            answer = await SessionMiddleware(login)(request)
            request = RequestFactory().get("/", secure=True)
            request.META["HTTP_COOKIE"] = f"{POINTER}={answer.cookies[POINTER].value}"
        task = asyncio.create_task(
            SessionMiddleware(login if moment == "login" else logout)(request)
        )
        await reached.wait()
        task.cancel()
        await asyncio.sleep(0)
        for event in awaited.held.values():
            event.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        while awaited.calls[-1] != "delete":  # noqa: ASYNC110  # it goes on, shielded
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await project_store().asessions_of({"user": {"sub": "ann"}})

    assert asyncio.run(scenario()) == []
