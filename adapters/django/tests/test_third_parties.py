"""Authlib's OAuth client for Django, which keeps its state in request.session."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.django_client import OAuth
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import path


class Provider(BaseHTTPRequestHandler):
    """An OAuth 2 server: any code is good, and is the name of the user."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = json.dumps({"access_token": form["code"][0], "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def authlib(ann) -> Iterator[None]:
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=provider.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{provider.server_port}"
    oauth = OAuth()
    oauth.register(
        "site",
        client_id="client",
        client_secret="secret",
        authorize_url=f"{url}/authorize",
        access_token_url=f"{url}/token",
    )

    def start(request):
        return oauth.site.authorize_redirect(request, "https://example.org/callback")

    def callback(request):
        token = oauth.site.authorize_access_token(request)
        login(
            request,
            User.objects.get(username=token["access_token"]),
            "django.contrib.auth.backends.ModelBackend",
        )
        return HttpResponse("in")

    def link(request):
        return HttpResponse(oauth.site.authorize_access_token(request)["access_token"])

    def everything(request):
        return JsonResponse(dict(request.session))

    urls = tuple(path(view.__name__, view) for view in (start, callback, link, everything))
    with override_settings(ROOT_URLCONF=urls):
        yield
    provider.shutdown()
    thread.join()
    provider.server_close()


def begin(client: Client) -> str:
    return parse_qs(urlsplit(client.get("/start")["Location"]).query)["state"][0]


@pytest.mark.usefixtures("authlib")
def test_authlib_signs_in(ann):
    client = Client()
    assert client.get(f"/callback?state={begin(client)}&code=ann").content == b"in"
    found = client.get("/everything").json()
    assert found["_auth_user_id"] == str(ann.pk)
    assert [key for key in found if key.startswith("_state_")] == []


@pytest.mark.usefixtures("authlib")
def test_of_two_sign_ins_in_two_tabs_either_may_end_first():
    client = Client()
    first, second = begin(client), begin(client)
    assert first != second
    assert client.get(f"/link?state={second}&code=b").content == b"b"
    assert client.get(f"/link?state={first}&code=a").content == b"a"


@pytest.mark.usefixtures("authlib")
def test_a_login_ends_the_sign_ins_that_other_tabs_began():
    client = Client()
    first, second = begin(client), begin(client)
    client.get(f"/callback?state={second}&code=ann")
    with pytest.raises(MismatchingStateError):
        client.get(f"/callback?state={first}&code=ann")


@pytest.mark.usefixtures("authlib")
def test_authlib_refuses_a_state_that_this_visitor_did_not_begin():
    attacker, victim = Client(), Client()
    state = begin(attacker)
    with pytest.raises(MismatchingStateError):
        victim.get(f"/callback?state={state}&code=ann")
