"""Lines of the guide that must type-check under mypy and pyright. Checked, never run."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from sessionkit import create_session, delete_session, get_session, update_session
from sessionkit_django import project_store, require_session_api, require_session_page


def verbs(request: HttpRequest, response: HttpResponse) -> None:
    session = create_session(request, {"user": {"sub": "ada"}})
    update_session(request, {**session, "theme": "dark"})
    update_session(request, lambda contents: {**contents, "theme": "dark"})
    get_session(request, response)
    delete_session(request)
    project_store().get_session(request)


@require_session_page
def account(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello, {get_session(request)}")


@require_session_api
async def api(request: HttpRequest) -> HttpResponse:
    return JsonResponse(get_session(request))
