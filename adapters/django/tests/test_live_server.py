"""Django's live server, with the cookies of its own test client."""

from __future__ import annotations

import unittest
import urllib.request

from django.contrib.auth.models import User
from django.test import LiveServerTestCase, override_settings


def make_case() -> type[unittest.TestCase]:
    """Return the case; pytest would run one that stands in the module without its tables."""

    @override_settings(SESSION_COOKIE_SECURE=False, MEDIA_URL="/media/", STATIC_URL="/static/")
    class Live(LiveServerTestCase):
        def test_who(self):
            self.client.force_login(User.objects.create_user("bea"))
            session = self.client.session
            session["k"] = 1
            session.save()
            cookie = self.client.cookies["sessionid"]
            self.assertEqual(self.ask("private", cookie.value), b"bea")
            self.assertIn(b'"k": 1', self.ask("everything", cookie.value))
            self.assertNotEqual(self.ask("everything", self.client.session.session_key), b"bea")

        def ask(self, path: str, value: str) -> bytes:
            asked = urllib.request.Request(
                f"{self.live_server_url}/{path}", headers={"Cookie": f"sessionid={value}"}
            )
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.read()

    return Live


def test_a_live_server_knows_the_user_of_the_client():
    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(make_case()).run(outcome)
    assert (outcome.testsRun, outcome.errors, outcome.failures) == (1, [], [])
