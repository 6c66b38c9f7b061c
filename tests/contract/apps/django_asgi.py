"""Django over ASGI, with async views."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import django
from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotModified,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.decorators import async_only_middleware, method_decorator
from django.views import View

from contract import script
from contract.setting import FILE, App, make_store, serve_asgi
from sessionkit import bind
from sessionkit_django import require_session_api, require_session_page


def do(
    request: HttpRequest,
    perform: Any = script.perform,
    header: str = script.DO,
    response: HttpResponse | None = None,
) -> str:
    named = {
        "request": request,
        "response": response or HttpResponse(),
        "raw": request.scope,
        "framework": lambda: request.session,
    }
    return perform(request.headers.get(header), request.headers.get(script.FORM), **named)


def answer(request: HttpRequest, perform: Any = script.perform) -> HttpResponse:
    response = HttpResponse(content_type="application/json")
    response.content = do(request, perform, response=response)
    return response


async def coroutine(request: HttpRequest) -> HttpResponse:
    return answer(request)


def plain(request: HttpRequest) -> HttpResponse:
    return answer(request)


async def public(request: HttpRequest) -> HttpResponse:
    response = answer(request)
    response["Cache-Control"] = "public, max-age=600"
    response["CDN-Cache-Control"] = "max-age=600"
    return response


async def thread(request: HttpRequest) -> HttpResponse:
    return answer(request, script.in_thread)


async def redirected(request: HttpRequest) -> HttpResponse:
    do(request)
    return HttpResponseRedirect("/do")


async def not_modified(request: HttpRequest) -> HttpResponse:
    do(request)
    return HttpResponseNotModified(headers={"ETag": '"1"'})


async def missing(request: HttpRequest) -> HttpResponse:
    do(request)
    raise Http404


async def handled(request: HttpRequest) -> HttpResponse:
    do(request)
    raise script.Handled


@async_only_middleware
class OnHandled:
    """The application's own handler of an exception, in Django's way: a middleware's `process_exception`."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        return await self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return (
            HttpResponse(script.sorry(exception), status=500, content_type="text/plain")
            if isinstance(exception, script.HANDLED)
            else None
        )


async def unhandled(request: HttpRequest) -> HttpResponse:
    do(request)
    raise script.Unhandled


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    do(request)

    async def chunks() -> AsyncIterator[str]:
        yield "one\n"
        yield "two\n"
        yield do(request, header=script.LATE)

    return StreamingHttpResponse(chunks(), content_type="text/plain")


async def file(request: HttpRequest) -> FileResponse:
    do(request)
    return FileResponse(FILE.open("rb"))


class Afterwards(HttpResponse):
    """A response that works on when it is out: Django closes it then."""

    def close(self) -> None:
        self.work()
        super().close()


async def background(request: HttpRequest) -> HttpResponse:
    response = Afterwards(content_type="application/json")
    # Not every Django closes a response in the task that has served the request.
    response.work = bind(lambda: do(request, script.note, script.LATE))
    response.content = do(request, response=response)
    return response


api = require_session_api(coroutine)


@method_decorator(require_session_page, name="get")
@method_decorator(require_session_page, name="post")
class Page(View):
    async def get(self, request: HttpRequest, rest: str = "") -> HttpResponse:
        return answer(request)

    post = get


async def after_login(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(script.return_to(request.GET.getlist("returnTo")))


urlpatterns = (
    path("do", coroutine),
    path("sync/do", plain),
    path("async/do", coroutine),
    path("public", public),
    path("thread", thread),
    path("redirect", redirected),
    path("not-modified", not_modified),
    path("missing", missing),
    path("handled", handled),
    path("unhandled", unhandled),
    path("stream", stream),
    path("file", file),
    path("background", background),
    path("api", api),
    path("page", Page.as_view()),
    path("page/<path:rest>", Page.as_view()),
    path("after-login", after_login),
)


def configure() -> None:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["sessionkit_django.SessionMiddleware", f"{__name__}.OnHandled"],
        ROOT_URLCONF=urlpatterns,
        SECRET_KEY="Django's own; nothing of ours uses it",
        SESSION_ENGINE="sessionkit_django.engine",
        SESSIONKIT={"store": make_store(awaits=True)},
    )
    django.setup()


def serve(listening: socket.socket) -> None:
    configure()
    serve_asgi(get_asgi_application(), listening)


APP = App(
    serve=serve,
    gaps={
        "unkept": "Django asks process_exception about exceptions of views only",
        "websocket": "Django has no websockets",
    },
    dropped="_csrftoken",
    versions=("django", "uvicorn"),
    pages=("docs/how-to/django.md", "adapters/django/README.md"),
)
