"""social-auth-app-django: sign-in with other sites."""

from ..runner import BACKEND, COOKIE, Suite

_ENGINE = "sets another SESSION_ENGINE, which our middleware refuses"
_DIFFERENCES = {
    "tests.test_views.TestOAuth2NonceClaim::test_same_session_snapshot_cannot_exchange_state_twice": _ENGINE,
    "tests.test_middleware.ErrorFallbackTest::test_callback_without_session_cookie": _ENGINE,
}

SUITE = Suite(
    distribution="social-auth-app-django",
    plugin="over_django",
    variables={"SETTINGS": "tests.settings"},
    passes=299,
    differences={COOKIE: _DIFFERENCES, BACKEND: _DIFFERENCES},
)
