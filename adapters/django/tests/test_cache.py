"""Django's own cache around, inside and beside the session: pages that are anybody's are shared, and no others."""

from __future__ import annotations

import asyncio
import pickle
import uuid

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import RequestFactory, override_settings
from django.urls import path
from django.views.decorators.cache import cache_page

from sessionkit import NoActiveRequestError, get_session
from sessionkit.adapters import Phase
from sessionkit_django.testing import AsyncClient, Client

OURS = "sessionkit_django.SessionMiddleware"
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
BOTH = "django.middleware.cache.CacheMiddleware"
ORDERS = [
    [UPDATE, OURS, FETCH],
    [UPDATE, FETCH, OURS],
    [OURS, UPDATE, FETCH],
    [BOTH, OURS],
    [OURS, BOTH],
]
BACKENDS = {
    "locmem": "django.core.cache.backends.locmem.LocMemCache",
    "file": "django.core.cache.backends.filebased.FileBasedCache",
    "db": "django.core.cache.backends.db.DatabaseCache",
}

runs: list[str] = []
KEPT = HttpResponse("the same for all")


def plain(request):
    runs.append(request.path)
    return HttpResponse("for everybody")


async def plain_async(request):
    return plain(request)


def template(request):
    runs.append(request.path)
    return TemplateResponse(request, engines["django"].from_string("for everybody"))


def mine(request):
    runs.append(request.path)
    return JsonResponse(dict(request.session))


def mine_in_a_template(request):
    runs.append(request.path)
    page = engines["django"].from_string("{{ request.session.name }}")
    return TemplateResponse(request, page)


async def mine_async(request):
    return mine(request)


def put(request):
    request.session["name"] = request.GET["name"]
    return HttpResponse(request.session["name"])


def kept(request):
    if "name" in request.GET:
        request.session["name"] = request.GET["name"]
    return KEPT


def kept_look(request):
    request.session.get("name")
    return KEPT


def kept_untouched(request):
    return KEPT


def stream(request):
    request.session["name"] = "ann"

    def chunks():
        yield "one "
        yield str(request.session["name"])

    return StreamingHttpResponse(chunks())


urlpatterns = [
    *(
        path(view.__name__.replace("_", "-"), view)
        for view in (
            plain, plain_async, template, mine, mine_in_a_template, mine_async, put, kept, kept_look, kept_untouched, stream,
        )
    ),
    path("decorated-plain", cache_page(60)(plain)),
    path("decorated-template", cache_page(60)(template)),
    path("decorated-mine", cache_page(60)(mine)),
    path("decorated-put", cache_page(60)(put)),
    path("decorated-mine-in-a-template", cache_page(60)(mine_in_a_template)),
]  # fmt: skip


def pickled(get_response):
    """A middleware that sends what a cache would have kept."""
    return lambda request: pickle.loads(pickle.dumps(get_response(request)))


def asking(get_response):
    """A middleware that asks of each request whether its session is empty, as that of django-hijack does."""

    def serve(request):
        response = get_response(request)
        asked.append(request.session.is_empty())
        return response

    return serve


asked: list[bool] = []


@pytest.fixture(autouse=True)
def _site():
    runs.clear()
    asked.clear()
    caches = {"default": {"BACKEND": BACKENDS["locmem"], "LOCATION": str(uuid.uuid4())}}
    with override_settings(ROOT_URLCONF=__name__, CACHES=caches, MIDDLEWARE=[OURS]):
        yield


def visitor(name: str) -> Client:
    client = Client()
    session = client.session
    session["name"] = name
    session.save()
    return client


@pytest.mark.parametrize("middleware", ORDERS, ids=str)
@pytest.mark.parametrize("url", ["/plain", "/plain-async", "/template"])
def test_a_page_that_is_anybodys_comes_from_the_cache(middleware, url):
    with override_settings(MIDDLEWARE=middleware):
        answers = [Client(raise_request_exception=False).get(url) for _ in range(2)]
    assert [(one.status_code, one.content) for one in answers] == [(200, b"for everybody")] * 2
    assert len(runs) == 1


def test_a_middleware_that_asks_whether_the_session_is_empty_keeps_no_page_out_of_the_cache():
    visitors = [Client(), Client(), visitor("ann"), visitor("bob")]
    with override_settings(MIDDLEWARE=[UPDATE, OURS, f"{__name__}.asking", FETCH]):
        answers = [client.get("/plain") for client in visitors]
    assert [one.content for one in answers] == [b"for everybody"] * 4
    assert asked == [True, True, False, False]
    assert len(runs) == 1
    assert not any(one.has_header("Vary") for one in answers)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_that_pickles_takes_it(backend, tmp_path):
    where = str(tmp_path) if backend == "file" else "cache_of_pages"
    with override_settings(
        MIDDLEWARE=ORDERS[0],
        CACHES={"default": {"BACKEND": BACKENDS[backend], "LOCATION": where}},
    ):
        if backend == "db":
            call_command("createcachetable", verbosity=0)
        cache.clear()
        assert [Client().get("/plain").status_code for _ in range(2)] == [200, 200]
        cache.clear()
    assert len(runs) == 1


@pytest.mark.parametrize("middleware", ORDERS, ids=str)
def test_the_cache_serves_async_requests(middleware):
    async def scenario():
        return [(await AsyncClient().get("/plain-async")).content for _ in range(2)]

    with override_settings(MIDDLEWARE=middleware):
        assert asyncio.run(scenario()) == [b"for everybody"] * 2
    assert len(runs) == 1


@pytest.mark.parametrize("url", ["/decorated-plain", "/decorated-template"])
def test_a_decorated_view_comes_from_the_cache(url):
    assert [Client().get(url).content for _ in range(2)] == [b"for everybody"] * 2
    assert len(runs) == 1


@pytest.mark.parametrize("middleware", ORDERS, ids=str)
@pytest.mark.parametrize("url", ["/mine", "/mine-async", "/mine-in-a-template"])
def test_no_visitor_is_served_anothers_page(middleware, url):
    ann, bob = visitor("ann"), visitor("bob")
    with override_settings(MIDDLEWARE=middleware):
        pages = [client.get(url).content for client in (ann, bob, Client(), ann)]
    assert [b"ann" in one for one in pages] == [True, False, False, True]
    assert b"bob" in pages[1]
    assert b"bob" not in pages[2]


@pytest.mark.parametrize("url", ["/decorated-mine", "/decorated-mine-in-a-template"])
def test_no_visitor_is_served_anothers_decorated_page(url):
    ann, bob = visitor("ann"), visitor("bob")
    pages = [client.get(url).content for client in (ann, bob, Client())]
    assert [b"ann" in one for one in pages] == [True, False, False]
    assert b"bob" in pages[1]


@pytest.mark.parametrize("middleware", [*ORDERS, [OURS]], ids=str)
@pytest.mark.parametrize("url", ["/put", "/decorated-put"])
def test_no_visitor_is_sent_anothers_cookie(middleware, url):
    with override_settings(MIDDLEWARE=middleware):
        first, second = (Client() for _ in range(2))
        answers = [client.get(f"{url}?name=ann") for client in (first, second)]
    values = [one.cookies["__Host-session"].value for one in answers]
    assert values[0] != values[1]


def test_a_page_from_the_cache_ends_its_request():
    with override_settings(MIDDLEWARE=ORDERS[0]):
        for _ in range(2):
            Client().get("/plain")
            with pytest.raises(NoActiveRequestError):
                get_session()


def test_a_stream_reads_its_session_and_then_the_request_ends():
    response = Client().get("/stream")
    assert b"".join(response.streaming_content) == b"one ann"
    response.close()
    with pytest.raises(NoActiveRequestError):
        get_session()


@pytest.mark.parametrize("url", ["/plain", "/mine", "/put?name=ann"])
def test_a_response_pickles(url):
    with override_settings(MIDDLEWARE=[f"{__name__}.pickled", OURS]):
        answer = Client().get(url)
    assert answer.status_code == 200
    assert set(answer.cookies) == ({"__Host-session"} if "put" in url else set())


# ---- a response object that the application keeps


def test_a_kept_response_carries_nothing_from_one_visitor_to_the_next():
    first = Client().get("/kept?name=ann")
    assert set(first.cookies) == {"__Host-session"}
    assert first["Cache-Control"] == "private, no-store"
    second = Client().get("/kept")
    assert dict(second.cookies) == {}
    assert (second.get("Vary"), second.get("Cache-Control")) == (None, None)
    assert dict(KEPT.cookies) == {}
    assert set(KEPT.headers) == {"Content-Type"}


def test_the_end_of_one_visitors_request_is_not_that_of_another_who_is_sent_the_same_response():
    handler = WSGIHandler()
    requests = [RequestFactory().get("/kept?name=ann", secure=True) for _ in range(2)]
    responses = [handler.get_response(request) for request in requests]
    responses[0].close()
    phases = [request.session.exchange.phase for request in requests]
    responses[1].close()
    assert phases == [Phase.ENDED, Phase.COMMITTED]


def test_a_kept_response_keeps_its_own_fields_and_cookies():
    KEPT["Surrogate-Control"] = "max-age=60"
    KEPT.set_cookie("theirs", "1")
    try:
        assert "Surrogate-Control" not in Client().get("/kept?name=ann")
        later = Client().get("/kept")
        assert later["Surrogate-Control"] == "max-age=60"
        assert set(later.cookies) == {"theirs"}
    finally:
        del KEPT["Surrogate-Control"]
        KEPT.cookies.clear()


def test_what_only_looks_leaves_no_vary_on_a_kept_response():
    assert Client().get("/kept-look")["Vary"] == "Cookie"
    assert "Vary" not in Client().get("/kept-untouched")


def test_a_kept_response_is_sent_in_async_requests_likewise():
    async def scenario():
        first = await AsyncClient().get("/kept?name=ann")
        second = await AsyncClient().get("/kept")
        return set(first.cookies), set(second.cookies)

    assert asyncio.run(scenario()) == ({"__Host-session"}, set())
