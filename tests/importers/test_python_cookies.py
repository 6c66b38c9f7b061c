"""Cookies that the real Flask, Starlette and Django make are taken over."""

import asyncio
from datetime import date, datetime, timezone
from uuid import UUID

import django
import flask
import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sessionkit import Absence, SessionStore, anyone
from sessionkit.formats import DjangoCookie, FlaskCookie, Importer, StarletteCookie

OLD = "the secret of the application we move from"
OLDER = "the secret that it had before, and is retiring"
OURS = "the secret of our own cookies, which is another"

CONTENTS = {
    "user": {"id": 7, "name": "Žofie 🐴"},
    "cart": [1, 2.5, None, True],
    "deep": {"a": {"b": []}},
}
LARGE = {"user": {"id": 7}, "blob": "x" * 2000}  # Flask and Django compress it

if not django_settings.configured:
    django_settings.configure(
        SECRET_KEY=OLD,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        ROOT_URLCONF=__name__,
    )
    django.setup()
urlpatterns = []


def flask_cookie(contents, secret=OLD, **config):
    app = flask.Flask(__name__)
    app.secret_key = secret
    app.config.update(config)

    @app.route("/")
    def view():
        flask.session.update(contents)
        return ""

    line = app.test_client().get("/").headers["Set-Cookie"]
    return line.partition(";")[0]


def starlette_cookie(contents, secret=OLD, **options):
    async def view(request):
        request.session.update(contents)
        return PlainTextResponse("")

    app = Starlette(
        routes=[Route("/", view)],
        middleware=[Middleware(SessionMiddleware, secret_key=secret, **options)],
    )
    sent = []

    async def run():
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [],
            "scheme": "https",
            "server": ("x", 443),
        }
        await app(scope, receive, send)

    asyncio.run(run())
    return dict(sent[0]["headers"])[b"set-cookie"].decode().partition(";")[0]


def django_cookie(contents, secret=OLD):
    from django.contrib.sessions.middleware import SessionMiddleware as DjangoMiddleware
    from django.http import HttpResponse
    from django.test.utils import override_settings

    def view(request):
        request.session.update(contents)
        return HttpResponse("")

    with override_settings(SECRET_KEY=secret):
        response = DjangoMiddleware(view)(RequestFactory().get("/"))
    return f"sessionid={response.cookies['sessionid'].value}"


SOURCES = {
    "flask": (FlaskCookie, flask_cookie),
    "starlette": (StarletteCookie, starlette_cookie),
    "django": (DjangoCookie, django_cookie),
}
each = pytest.mark.parametrize(("source", "made"), SOURCES.values(), ids=SOURCES)


def store(source, secret=OLD, guard=anyone, **more):
    return SessionStore(
        OURS, accept=[Importer(source(), secret=secret, until=None, **more)], guard=guard
    )


@each
@pytest.mark.parametrize("contents", [CONTENTS, LARGE], ids=["small", "large"])
def test_what_the_framework_writes_is_taken_over(source, made, contents):
    cookie = made(contents)
    with store(source).exchange(f"other=1; {cookie}") as exchange:
        assert dict(exchange.get() or {}) == contents
    lines = [line for name, line in exchange.response_headers if name == "Set-Cookie"]
    assert lines[0].startswith("__Host-session=")
    assert lines[1].startswith(f"{cookie.partition('=')[0]}=; Max-Age=0;")
    with SessionStore(OURS, guard=anyone).exchange(lines[0].partition(";")[0]) as exchange:
        assert dict(exchange.get() or {}) == contents


@each
def test_a_secret_that_is_being_retired_opens_it_too(source, made):
    with store(source, [OLD, OLDER]).exchange(made(CONTENTS, OLDER)) as exchange:
        assert dict(exchange.get() or {}) == CONTENTS


@each
def test_another_secret_does_not(source, made):
    with store(source, OLDER).exchange(made(CONTENTS)) as exchange:
        assert exchange.absence is Absence.BAD_TAG


@each
def test_a_changed_cookie_is_refused_and_raises_nothing(source, made):
    name, _, value = made(CONTENTS).partition("=")
    for at in range(0, len(value), 7):
        for changed in (
            value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :],
            value[:at],
            value[:at] + value[at + 1 :],
        ):
            with store(source).exchange(f"{name}={changed}") as exchange:
                assert exchange.absence in (Absence.BAD_TAG, Absence.MALFORMED)


def test_what_flask_tags_becomes_json():
    tagged = {
        "tuple": (1, 2),
        "bytes": b"\x00\xff",
        "uuid": UUID("12345678123456781234567812345678"),
        "markup": Markup("<b>"),
        "date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        "dict": {" t": 1},
        "one": {"a": (1,)},
        "list": [(1, [2])],
    }
    with store(FlaskCookie).exchange(flask_cookie(tagged)) as exchange:
        assert dict(exchange.get() or {}) == {
            "tuple": [1, 2],
            "bytes": "AP8=",
            "uuid": "12345678123456781234567812345678",
            "markup": "<b>",
            "date": "2026-01-02T03:04:05+00:00",
            "dict": {" t": 1},
            "one": {"a": [1]},
            "list": [[1, [2]]],
        }


def test_a_login_of_flask_is_one_of_ours_by_a_conversion():
    def convert(session):
        return {"user": {"id": session["_user_id"]}}

    from sessionkit import has_user

    moved = store(FlaskCookie, guard=has_user, convert=convert)
    with moved.exchange(flask_cookie({"_user_id": "7", "_fresh": True})) as exchange:
        assert dict(exchange.get() or {}) == {"user": {"id": "7"}}
    with moved.exchange(flask_cookie({"cart": [1]})) as exchange:
        assert exchange.absence is Absence.MALFORMED


@each
def test_it_is_as_old_as_its_signature(source, made):
    cookie = made(CONTENTS)
    now = datetime.now(timezone.utc).timestamp()
    with store(source).exchange(cookie) as exchange:
        assert now - 5 <= exchange.get().stamp.created_at <= now + 1
    late = SessionStore(
        OURS,
        accept=[Importer(source(max_age=3600), secret=OLD, until=None)],
        guard=anyone,
        clock=lambda: now + 3601,
    )
    with late.exchange(cookie) as exchange:
        assert exchange.absence is Absence.EXPIRED
    early = SessionStore(
        OURS,
        accept=[Importer(source(), secret=OLD, until=None)],
        guard=anyone,
        clock=lambda: now - 100,
    )
    with early.exchange(cookie) as exchange:
        assert exchange.absence is Absence.NOT_YET_VALID


@each
def test_after_its_day_it_is_ignored(source, made):
    with store_until(source, date(2020, 1, 1)).exchange(made(CONTENTS)) as exchange:
        assert exchange.absence is Absence.NO_COOKIE


def store_until(source, until):
    return SessionStore(OURS, accept=[Importer(source(), secret=OLD, until=until)], guard=anyone)
