"""social-auth-app-django: sign-in with other sites."""

from ..runner import COOKIE, Suite

SUITE = Suite(
    distribution="social-auth-app-django",
    plugin="over_django",
    variables={"SETTINGS": "tests.settings"},
    passes=299,
    differences={COOKIE: {}},
)
