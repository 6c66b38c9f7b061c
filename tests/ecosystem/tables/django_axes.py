"""django-axes: logins that fail too often are locked out."""

from ..runner import BACKEND, COOKIE, Suite

_HAND_MADE = "logs in on a SessionStore() that no request carries, which raises: no response would carry its cookie"
_CASE = "tests.test_login.DjangoContribAuthLoginTestCase"

SUITE = Suite(
    distribution="django-axes",
    plugin="over_django",
    variables={"SETTINGS": "tests.settings"},
    passes=351,
    differences={
        COOKIE: {f"{_CASE}::test_login": _HAND_MADE, f"{_CASE}::test_logout": _HAND_MADE},
        BACKEND: {},
    },
)
