"""mozilla-django-oidc: sign-in with an OpenID provider."""

from ..runner import COOKIE, Suite

SUITE = Suite(
    distribution="mozilla-django-oidc",
    plugin="over_django",
    variables={"SETTINGS": "mozilla_project"},
    passes=118,
    differences={COOKIE: {}},
)
