"""Sessions on the server behind the async middleware: a backend is awaited, and a blocking one runs in a thread."""

from __future__ import annotations

import asyncio
import threading

import pytest
from awaited_memory import AwaitedMemory
from django.contrib.auth import alogin, alogout
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import sync_only_middleware
from kept import POINTER, WatchedBackend, keeping, pointers_set

from sessionkit import ConfigurationError
from sessionkit.backends import SQLiteBackend
from sessionkit_django import project_store
from sessionkit_django.testing import AsyncClient, Client


@pytest.fixture(params=["awaited", "in a thread"])
def backend(request, tmp_path):
    """The same for a backend of either kind."""
    backend = (
        AwaitedMemory()
        if request.param == "awaited"
        else WatchedBackend(SQLiteBackend(tmp_path / "sessions.db"))
    )
    with keeping(backend):
        yield backend
    if request.param != "awaited":
        backend.close()


@pytest.fixture
def blocking(tmp_path):
    backend = WatchedBackend(SQLiteBackend(tmp_path / "sessions.db"))
    with keeping(backend):
        yield backend
    backend.close()


def in_asgi(application, url, cookie=b""):
    """The messages that an ASGI application sends for a request."""
    came, sent = [{"type": "http.request", "body": b"", "more_body": False}], []

    async def receive():
        if came:
            return came.pop()
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": url, "raw_path": url.encode(),
        "root_path": "", "query_string": b"", "scheme": "https", "server": ("shop.local", 443), "client": ("192.0.2.1", 1),
        "headers": [(b"host", b"shop.local"), (b"cookie", cookie)],
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    return sent


def in_views(scenario, **views):
    """What a coroutine returns that is given a client of these views."""
    urls = tuple(path(name, view) for name, view in views.items())
    with override_settings(ROOT_URLCONF=urls):
        return asyncio.run(scenario(AsyncClient(raise_request_exception=False)))


async def everything(request):
    return JsonResponse(dict(request.session))


async def put(request):
    await request.session.aupdate(request.GET.dict())
    return HttpResponse()


async def log_in(request):
    from django.contrib.auth.models import User

    user = await User.objects.aget(username="ann")
    await alogin(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponse()


async def log_out(request):
    await alogout(request)
    return HttpResponse()


async def who(request):
    user = await request.auser()
    return HttpResponse(user.username or "nobody")


@pytest.mark.usefixtures("ann")
def test_a_session_is_kept_from_login_to_logout(backend):
    async def scenario(client):
        await client.get("/log_in")
        updated = await client.get("/put?a=1")
        found = (await client.get("/everything")).json()["a"], (await client.get("/who")).content
        stolen = client.cookies[POINTER].value
        await client.get("/log_out")
        client.cookies[POINTER] = stolen
        return pointers_set(updated), *found, (await client.get("/who")).content

    views = {"log_in": log_in, "put": put, "everything": everything, "who": who, "log_out": log_out}
    assert in_views(scenario, **views) == ([], "1", b"ann", b"nobody")


@pytest.mark.usefixtures("ann")
def test_the_event_loop_is_never_blocked(blocking):
    async def scenario(client):
        await client.get("/log_in")
        await client.get("/put?a=1")
        await client.get("/log_out")

    in_views(scenario, log_in=log_in, put=put, log_out=log_out)
    assert {"load", "insert", "replace", "delete"} <= set(blocking.calls)
    assert threading.get_ident() not in blocking.threads


@pytest.mark.usefixtures("ann")
def test_a_request_without_a_pointer_costs_no_trip(backend):
    async def scenario(client):
        await client.get("/put?a=1")
        return (await client.get("/everything")).json()

    assert in_views(scenario, put=put, everything=everything) == {"a": "1"}
    assert backend.calls == []


@pytest.mark.usefixtures("ann")
def test_an_outage_is_an_error_of_the_page_that_asks_and_of_no_other(backend):
    async def quiet(request):
        return HttpResponse("quiet")

    async def scenario(client):
        await client.get("/log_in")
        backend.failing.add("load")
        failed, still = await client.get("/everything"), await client.get("/quiet")
        backend.failing.clear()
        return (
            failed.status_code,
            dict(failed.cookies),
            still.content,
            (await client.get("/who")).content,
        )

    found = in_views(scenario, log_in=log_in, everything=everything, quiet=quiet, who=who)
    assert found == (500, {}, b"quiet", b"ann")


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(("operation", "page"), [("replace", "/put?a=1"), ("delete", "/log_out")])
def test_a_save_that_fails_is_a_500_and_clears_no_cookie(backend, operation, page):
    async def scenario(client):
        await client.get("/log_in")
        backend.failing.add(operation)
        failed = await client.get(page)
        backend.failing.clear()
        return failed.status_code, dict(failed.cookies), (await client.get("/who")).content

    views = {"log_in": log_in, "put": put, "log_out": log_out, "who": who}
    assert in_views(scenario, **views) == (500, {}, b"ann")


@pytest.mark.usefixtures("ann")
def test_an_awaited_save_is_there_at_once_and_stays_though_the_response_fails(backend):
    async def save_and_fail(request):
        await log_in(request)
        await request.session.asave()
        found.append(await request.session.aexists(request.session.session_key))
        return HttpResponse(status=500)

    async def scenario(client):
        await client.get("/save_and_fail")
        return (await client.get("/who")).content

    found = []
    assert in_views(scenario, save_and_fail=save_and_fail, who=who) == b"ann"
    assert found == [True]


@pytest.mark.usefixtures("ann")
def test_a_save_that_would_block_the_loop_says_what_to_call(blocking):
    async def scenario(client):
        await client.get("/log_in")
        return (await client.get("/save")).content.decode()

    async def save(request):
        request.session["a"] = 1
        try:
            request.session.save()
        except SynchronousOnlyOperation as error:
            return HttpResponse(str(error))

    assert "asave" in in_views(scenario, log_in=log_in, save=save)


@pytest.mark.usefixtures("ann")
def test_in_a_view_that_is_not_async_a_save_works_on_a_blocking_backend(blocking):
    async def scenario(client):
        await client.get("/log_in")
        await client.get("/save")
        return (await client.get("/everything")).json()["a"]

    def save(request):
        request.session["a"] = 1
        request.session.save()
        return HttpResponse(status=500)

    assert in_views(scenario, log_in=log_in, save=save, everything=everything) == 1


@pytest.mark.usefixtures("ann")
def test_and_on_an_awaited_one_it_says_what_to_do(awaited):
    async def scenario(client):
        await client.get("/log_in")
        return (await client.get("/save")).content.decode()

    def save(request):
        request.session["a"] = 1
        try:
            request.session.save()
        except ConfigurationError as error:
            return HttpResponse(str(error))

    told = in_views(scenario, log_in=log_in, save=save)
    assert "asave" in told
    assert "AwaitedMemory is awaited" in told


@pytest.mark.usefixtures("awaited")
def test_an_awaited_backend_and_wsgi_do_not_go_together():
    with pytest.raises(ImproperlyConfigured, match="AwaitedMemory is awaited"):
        get_wsgi_application()
    with pytest.raises(ImproperlyConfigured):
        Client().get("/")


@sync_only_middleware
def of_old(get_response):
    return get_response


@pytest.mark.usefixtures("awaited")
def test_nor_do_it_and_a_synchronous_middleware_after_ours():
    middleware = ["sessionkit_django.SessionMiddleware", f"{__name__}.of_old"]
    with (
        override_settings(MIDDLEWARE=middleware),
        pytest.raises(ImproperlyConfigured, match="no middleware after it"),
    ):
        get_asgi_application()


@pytest.mark.usefixtures("ann")
def test_with_a_synchronous_middleware_after_ours_a_blocking_backend_works_under_asgi(blocking):
    async def scenario(client):
        await client.get("/log_in")
        await client.get("/put?a=1")
        return (await client.get("/everything")).json()["a"]

    middleware = ["sessionkit_django.SessionMiddleware", f"{__name__}.of_old"]
    with override_settings(MIDDLEWARE=middleware):
        assert in_views(scenario, log_in=log_in, put=put, everything=everything) == "1"


@pytest.mark.usefixtures("ann")
def test_a_test_client_logs_in_and_out_with_a_backend_of_either_kind(backend):
    async def scenario(client):
        from django.contrib.auth.models import User

        await client.aforce_login(await User.objects.aget(username="ann"))
        session = await client.asession()
        await session.aset("a", 1)
        await session.asave()
        found = (await client.get("/everything")).json()["a"]
        stolen = client.cookies[POINTER].value
        await client.alogout()
        client.cookies[POINTER] = stolen
        return found, (await client.get("/who")).content

    assert in_views(scenario, everything=everything, who=who) == (1, b"nobody")


@pytest.mark.usefixtures("ann")
def test_ones_other_devices_are_logged_out(backend):
    async def revoke(request):
        ended = await project_store().arevoke_user(request.session, keep_current=True)
        return HttpResponse(ended)

    async def scenario(client):
        other = AsyncClient()
        await other.get("/log_in")
        await client.get("/log_in")
        ended = (await client.get("/revoke")).content
        return ended, (await client.get("/who")).content, (await other.get("/who")).content

    views = {"log_in": log_in, "revoke": revoke, "who": who}
    assert in_views(scenario, **views) == (b"1", b"ann", b"nobody")


@pytest.mark.usefixtures("ann")
def test_in_a_view_under_wsgi_the_async_methods_load_without_blocking(blocking):
    async def first(request):
        loaded.append("load" in blocking.calls)
        await request.session.aget("a")
        loaded.append("load" in blocking.calls)
        return await everything(request)

    loaded = []
    urls = (path("log_in", log_in), path("first", first))
    with override_settings(ROOT_URLCONF=urls):
        client = Client()
        client.get("/log_in")
        blocking.calls.clear()
        assert client.get("/first").status_code == 200
    assert loaded == [False, True]


@pytest.mark.usefixtures("ann")
def test_a_gateway_around_django_awaits_in_its_place(backend):
    urls = (path("log_in", log_in), path("who", who))
    with override_settings(ROOT_URLCONF=urls):
        application = project_store().asgi(get_asgi_application())
        fields = dict(in_asgi(application, "/log_in")[0]["headers"])
        cookie = fields[b"set-cookie"].partition(b";")[0]
        assert in_asgi(application, "/who", cookie)[1]["body"] == b"ann"


@pytest.mark.usefixtures("ann")
def test_a_view_that_is_not_async_reads_what_was_loaded(backend):
    def plain(request):
        return JsonResponse(dict(request.session))

    async def scenario(client):
        await client.get("/log_in")
        await client.get("/put?a=1")
        return (await client.get("/plain")).json()["a"]

    assert in_views(scenario, log_in=log_in, put=put, plain=plain) == "1"
