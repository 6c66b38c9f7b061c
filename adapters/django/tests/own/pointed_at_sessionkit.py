"""Settings for Django's own tests: its session middleware and its cookie engine are ours, its test clients its own.

With `UNPOINTED` in the environment they are Django's. What became of each test goes to the file named in `OUTCOMES`.
"""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

from django import test
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import signed_cookies
from django.test.runner import DiscoverRunner

import sessionkit_django
from sessionkit._exchange.exchange import Exchange
from sessionkit._exchange.request import HeaderRequest
from sessionkit.backends import MemoryBackend
from sessionkit_django import config, engine
from sessionkit_django.callers import find_test_client

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "django_tests_secret_key"
TEST_RUNNER = "pointed_at_sessionkit.Runner"
USE_TZ = False

if "UNPOINTED" not in os.environ:
    SESSION_ENGINE = "sessionkit_django.engine"
    SESSIONKIT = {
        "secret": "Django's own tests: 0123456789abcdefghijklmnopqrstuvwxyz"
    }  # their SECRET_KEY is too short for us
    middleware.SessionMiddleware = sessionkit_django.SessionMiddleware  # in MIDDLEWARE by its name

    class OfARequest(engine.SessionStore):
        """What CookieSessionTests makes outside a request, where ours keeps nothing and says so."""

        def __init__(
            self, session_key: str | None = None, *, exchange: Exchange | None = None
        ) -> None:
            if exchange is None and find_test_client() is None:
                exchange = Exchange(config.gateway().settings, HeaderRequest())
            super().__init__(exchange=exchange)

    if "WITH_BACKEND" in os.environ:
        SESSIONKIT["backend"] = MemoryBackend()
    signed_cookies.SessionStore = OfARequest


class Result(unittest.TextTestResult):
    """Remembers what became of each test."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.became: dict[str, str] = {}

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.became.setdefault(test.id(), "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.became[test.id()] = "failed"

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.became[test.id()] = "failed"

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.became[test.id()] = "failed"

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.became[test.id()] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.became[test.id()] = "failed as expected"


class Runner(DiscoverRunner):
    """Django's own, which writes it down."""

    def get_resultclass(self) -> type[Result]:
        return Result

    def build_suite(self, *args: Any, **named: Any) -> unittest.TestSuite:
        """Add the tests that every engine of Django passes, for ours with a backend."""
        suite: unittest.TestSuite = super().build_suite(*args, **named)
        if "WITH_BACKEND" in os.environ:
            from sessions_tests.tests import SessionTestsMixin  # known to Django's runner only

            members = {"backend": engine.SessionStore, "__module__": "sessions_tests.tests"}
            case = type("KeptSessionTests", (SessionTestsMixin, test.SimpleTestCase), members)
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
        return suite

    def suite_result(self, suite: Any, result: Result, **named: Any) -> int:
        Path(os.environ["OUTCOMES"]).write_text(json.dumps(result.became))
        return super().suite_result(suite, result, **named)
