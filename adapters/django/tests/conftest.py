"""One Django project for all tests: auth, messages and the admin over sessionkit, no table for sessions."""

from __future__ import annotations

import sys
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.management import call_command

sys.path.insert(0, str(Path(__file__).parent))  # for the URLs
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "file:sessionkit?mode=memory&cache=shared",
            "OPTIONS": {"uri": True},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "sessionkit_django",
    ],
    LOGIN_URL="/login",
    MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage",
    MIDDLEWARE=[
        "sessionkit_django.SessionMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF="site_under_test",
    SECRET_KEY="django tests: 0123456789abcdefghijklmnopqrstuvwxyz",
    SESSION_COOKIE_SECURE=True,
    SESSION_ENGINE="sessionkit_django.engine",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    USE_TZ=True,
)
django.setup()


@pytest.fixture(scope="session", autouse=True)
def _tables():
    from django.db import connection
    from django.test.utils import setup_test_environment

    setup_test_environment()
    connection.ensure_connection()
    call_command("migrate", verbosity=0)


@pytest.fixture
def ann():
    """A superuser."""
    from django.contrib.auth.models import User

    user = User.objects.create_superuser("ann", "ann@example.org", "secret-of-ann")
    yield user
    User.objects.all().delete()


@pytest.fixture
def awaited():
    """An awaited backend that keeps the project's sessions."""
    from awaited_memory import AwaitedMemory
    from kept import keeping

    backend = AwaitedMemory()
    with keeping(backend):
        yield backend
