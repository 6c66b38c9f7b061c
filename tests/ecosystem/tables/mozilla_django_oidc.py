"""mozilla-django-oidc: sign-in with an OpenID provider. (Two of its tests import a module that the distribution leaves out.)"""

from ..runner import BACKEND, COOKIE, Suite

SUITE = Suite(
    distribution="mozilla-django-oidc",
    plugin="over_django",
    variables={"SETTINGS": "mozilla_project"},
    passes=118,
    differences={COOKIE: {}, BACKEND: {}},
)
