"""Django's own tests of sessions, logins and what stands on them, as they are, over sessionkit.

They are downloaded with the source distribution of the installed Django, and are not part of this repository.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import django
import own_suite
import pytest

LABELS = (
    "sessions_tests.tests.CookieSessionTests",
    "sessions_tests.tests.SessionMiddlewareTests",
    "auth_tests.test_basic",
    "auth_tests.test_context_processors",
    "auth_tests.test_decorators",
    "auth_tests.test_login",
    "auth_tests.test_middleware",
    "auth_tests.test_mixins",
    "auth_tests.test_remote_user",
    "auth_tests.test_signals",
    "auth_tests.test_views",
    "messages_tests.test_session",
    "csrf_tests.tests.CsrfViewMiddlewareUseSessionsTests",
    "admin_views.tests.AdminViewLogoutTests",
    "admin_views.tests.AdminViewPermissionsTest",
    "test_client.tests",
    "test_client_regress.tests.LoginTests",
    "test_client_regress.tests.SessionTests",
)

_SESSIONS, _COOKIES = (
    "sessions_tests.tests.SessionMiddlewareTests",
    "sessions_tests.tests.CookieSessionTests",
)
EXCEPTIONS = {
    f"{_SESSIONS}.test_secure_session_cookie": "looks for the cookie `sessionid`; a Secure one is `__Host-session` here unless SESSION_COOKIE_NAME is set",
    f"{_SESSIONS}.test_session_save_on_500": "looks into the request's session object, which keeps what the view wrote; no cookie is sent",
    f"{_SESSIONS}.test_session_save_on_5xx": "the same",
    f"{_SESSIONS}.test_session_update_error_redirect": "puts a session of the database into request.session",
    f"{_SESSIONS}.test_session_delete_on_end": "compares the clearing line as text; ours has no Expires, which Max-Age makes void (RFC 6265 section 5.3)",
    f"{_SESSIONS}.test_session_delete_on_end_with_custom_domain_and_path": "the same",
    f"{_SESSIONS}.test_flush_empty_without_session_cookie_doesnt_set_cookie": "a logout always sends the clearing lines here",
    f"{_SESSIONS}.test_save_every_request_with_non_empty_session_renews_session_cookie": "puts the session key into the cookie; ours opens nothing",
    f"{_SESSIONS}.test_empty_session_saved": "expects the session key in the cookie, and a row in the database",
    f"{_COOKIES}.test_session_key_valid_string_saved": "chooses a session key; ours are random",
    f"{_COOKIES}.test_invalid_key": "ends a session by a key that is not its own, which raises here: it lives in another browser's cookie",
    f"{_COOKIES}.test_invalid_key_async": "the same",
    f"{_COOKIES}.test_cycle_with_no_session_cache": "loads a session by its key with no request: nothing is stored where a key would find it",
    f"{_COOKIES}.test_cycle_with_no_session_cache_async": "the same",
    "auth_tests.test_views.LoginTest.test_login_session_without_hash_session_key": "saves a SessionStore without a request, which raises here: nothing would keep it",
    "test_client.tests.ClientTest.test_sessions_app_is_not_installed": "sets another SESSION_ENGINE, which our middleware refuses",
    "test_client.tests.ClientTest.test_view_with_login_when_sessions_app_is_not_installed": "the same",
}
"""What does not pass, and why."""
if django.VERSION >= (6, 0):  # earlier versions have no such test
    EXCEPTIONS[
        "auth_tests.test_middleware.TestLoginRequiredMiddleware.test_protected_view_logged_in_performance"
    ] = "counts a database query for the session; there is none"

_KEPT = "sessions_tests.tests.KeptSessionTests"
KEPT_LABELS = (
    "sessions_tests.tests.SessionMiddlewareTests",
    "auth_tests.test_login",
    "auth_tests.test_middleware",
    "auth_tests.test_views",
    "messages_tests.test_session",
)
KEPT_EXCEPTIONS = {
    f"{_KEPT}.test_session_key_valid_string_saved": "chooses a session key; ours are random",
}
"""What does not pass with a backend beside the above; the tests of every engine of Django are among these."""

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution of the installed Django."""
    return own_suite.unpack("django", tmp_path_factory.mktemp("django")) / "tests"


def run(sources: Path, *labels: str, **variables: str) -> dict[str, str]:
    """What became of each test: `passed`, `skipped`, `failed` or `failed as expected`."""
    outcomes = sources / "outcomes.json"
    env = {
        **own_suite.environment([Path(__file__).with_name("own")]),
        "OUTCOMES": str(outcomes),
        **variables,
    }
    command = [
        sys.executable,
        "runtests.py",
        "--settings=pointed_at_sessionkit",
        "--parallel=1",
        *labels,
    ]
    done = subprocess.run(
        command, cwd=sources, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert outcomes.exists(), done.stdout + done.stderr
    found: dict[str, str] = json.loads(outcomes.read_text())
    outcomes.unlink()
    return found


def test_djangos_own_tests_pass(sources):
    found = run(sources, *LABELS)
    assert [
        name for name, became in found.items() if became == "failed" and name not in EXCEPTIONS
    ] == []
    assert sum(became == "passed" for became in found.values()) > 600
    assert (
        found["auth_tests.test_views.ChangePasswordTest.test_password_change_succeeds"] == "passed"
    )
    assert found[f"{_COOKIES}.test_setdefault"] == "passed"


def test_djangos_own_tests_pass_with_a_backend(sources):
    found = run(sources, *KEPT_LABELS, WITH_BACKEND="1")
    failed = {name for name, became in found.items() if became == "failed"}
    assert failed - EXCEPTIONS.keys() == KEPT_EXCEPTIONS.keys()
    kept = [became for name, became in found.items() if name.startswith(_KEPT)]
    assert kept.count("passed") > 60
    hashless = "auth_tests.test_views.LoginTest.test_login_session_without_hash_session_key"
    assert found[hashless] == "passed"


def test_an_exception_is_one(sources):
    found = run(sources, *EXCEPTIONS)
    assert [name for name in EXCEPTIONS if found.get(name) != "failed"] == [], (
        "these pass: take them off the list"
    )


def test_what_fails_does_so_because_of_sessionkit(sources):
    found = run(sources, *EXCEPTIONS, UNPOINTED="1")
    assert [name for name in EXCEPTIONS if found.get(name) != "passed"] == []
