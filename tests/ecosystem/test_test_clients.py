"""The fixtures of pytest-django, and the client of Django REST framework, over Django's sessions and over ours."""

from __future__ import annotations

import pytest

from .runner import BACKEND, COOKIE, FRAMEWORK, Suite, passed

PROJECT = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "urls"
SECRET_KEY = "x" * 50
SESSION_COOKIE_SECURE = True
USE_TZ = True
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

def who(request):
    return HttpResponse(f"{request.user} {request.session.get('k')}")

urlpatterns = [path("who", who)]
"""
TESTS = """
import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

def write(client):
    session = client.session
    session["k"] = 1
    session.save()
    assert client.session["k"] == 1

def test_client(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ada"))
    write(client)
    assert client.get("/who").content == b"ada 1"
    client.logout()
    assert client.get("/who").content == b"AnonymousUser None"

def test_admin_client(admin_client):
    write(admin_client)
    assert admin_client.get("/who").content == b"admin 1"

def test_api_client(django_user_model):
    client = APIClient()
    client.force_login(django_user_model.objects.create_user("ada"))
    write(client)
    assert client.get("/who").content == b"ada 1"
    client.logout()
    assert client.get("/who").content == b"AnonymousUser None"
"""


@pytest.mark.parametrize("sessions", [FRAMEWORK, COOKIE, BACKEND])
def test_they_sign_in_and_write_the_session(tmp_path, sessions):
    for name, text in {"project": PROJECT, "urls": URLS, "test_clients": TESTS}.items():
        (tmp_path / f"{name}.py").write_text(text)
    suite = Suite(
        distribution="pytest-django",
        plugin="over_django",
        tests=("test_clients.py",),
        variables={"SETTINGS": "project"},
        passes=3,
    )
    assert len(passed(suite.run(tmp_path, sessions))) == suite.passes
