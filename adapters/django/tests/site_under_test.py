"""The project's views."""

from __future__ import annotations

import json

from django.contrib import admin, messages
from django.contrib.auth import (
    alogin,
    alogout,
    authenticate,
    login,
    logout,
    update_session_auth_hash,
)
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from sessionkit import get_session
from sessionkit_django import require_session_api, require_session_page


def put(request):
    request.session.update(request.GET.dict())
    return HttpResponse(request.session.session_key)


def everything(request):
    return JsonResponse(dict(request.session))


def key(request):
    return HttpResponse(request.session.session_key or "")


def log_in(request):
    user = authenticate(
        request,
        username=request.GET.get("name", "ann"),
        password=request.GET.get("password", "secret-of-ann"),
    )
    login(request, user)
    messages.success(request, "welcome")
    return HttpResponse(request.session.session_key)


async def log_in_async(request):
    user = await request.auser()
    from django.contrib.auth import aauthenticate

    user = await aauthenticate(request, username="ann", password="secret-of-ann")
    await alogin(request, user)
    return HttpResponse(request.session.session_key)


def log_out(request):
    logout(request)
    messages.info(request, "bye")
    return HttpResponse("out")


async def log_out_async(request):
    await alogout(request)
    return HttpResponse("out")


def change_password(request):
    request.user.set_password("another secret")
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


@login_required
def private(request):
    return HttpResponse(request.user.username)


async def private_async(request):
    user = await request.auser()
    return HttpResponse(user.username or "nobody")


def read_messages(request):
    return JsonResponse([str(one) for one in messages.get_messages(request)], safe=False)


def form(request):
    return HttpResponse(get_token(request))


def post(request):
    return HttpResponse("posted")


def expiry(request):
    request.session.set_expiry(json.loads(request.GET["value"]))
    return HttpResponse("set")


def begin(request):
    if not request.session.session_key:
        request.session.create()
    return HttpResponse(request.session.session_key)


def save(request):
    request.session.save()
    return HttpResponse(request.session.session_key)


def flush(request):
    request.session.flush()
    return HttpResponse("flushed")


def cycle(request):
    request.session.cycle_key()
    return HttpResponse(request.session.session_key)


def big(request):
    request.session["big"] = "x" * int(request.GET["size"])
    return HttpResponse("big")


def tagged(request):
    request.session["seen"] = True
    return HttpResponse("always the same", headers={"ETag": '"1"'})


def late(request):
    def chunks():
        yield "one "
        try:
            request.session["late"] = True
        except Exception as error:
            yield type(error).__name__

    return StreamingHttpResponse(chunks())


def cookie_test(request):
    worked = request.session.test_cookie_worked()
    request.session.set_test_cookie()
    return HttpResponse(str(worked))


async def twins(request):
    session = request.session
    await session.aset("a", 1)
    await session.aupdate({"b": [1]})
    (await session.aget("b")).append(2)
    await session.asetdefault("c", 3)
    await session.apop("a")
    await session.asave()
    found = {
        "items": dict(await session.aitems()),
        "has": await session.ahas_key("c"),
        "age": await session.aget_expiry_age(),
    }
    return JsonResponse(
        {**found, "key": await session.aexists(session.session_key), "load": await session.aload()}
    )


async def twins_of_ends(request):
    before = request.session.session_key
    await request.session.acycle_key()
    after = request.session.session_key
    await request.session.aflush()
    return JsonResponse([before != after, request.session.session_key], safe=False)


def log_out_and_fail(request):
    logout(request)
    raise RuntimeError


def log_in_and_spoil(request):
    user = authenticate(request, username="ann", password="secret-of-ann")
    logout(request)
    login(request, user)
    request.session["spoiled"] = object()
    return HttpResponse("never")


@require_session_api
def api(request):
    return JsonResponse(dict(get_session(request)))


@require_session_api
async def api_async(request):
    return JsonResponse(dict(get_session(request)))


@require_session_page(login_url="/signin?a=1", default="/home")
def page(request):
    return HttpResponse("page")


@method_decorator(require_session_api, name="dispatch")
class Plain(View):
    def get(self, request):
        return HttpResponse("plain")


@method_decorator(require_session_api, name="dispatch")
class Awaited(View):
    async def get(self, request):
        return HttpResponse("awaited")


class Methods(View):
    @require_session_page
    def get(self, request):
        return HttpResponse("got")

    @require_session_api
    async def post_async(self, request):
        return HttpResponse("posted")


urlpatterns = [
    path("admin/", admin.site.urls),
    *(
        path(view.__name__.replace("_", "-"), view)
        for view in (
            put, everything, key, log_in, log_in_async, log_out, log_out_async, change_password, private, private_async, read_messages, form, post,
            expiry, begin, save, flush, cycle, big, tagged, late, cookie_test, twins, twins_of_ends, log_out_and_fail, log_in_and_spoil, api, api_async, page,
        )
    ),
    path("plain", Plain.as_view()),
    path("awaited", Awaited.as_view()),
    path("methods", Methods.as_view()),
]  # fmt: skip
