"""django-axes: logins that fail too often are locked out."""

from ..runner import COOKIE, Suite

SUITE = Suite(
    distribution="django-axes",
    plugin="over_django",
    variables={"SETTINGS": "tests.settings"},
    passes=351,
    differences={COOKIE: {}},
)
