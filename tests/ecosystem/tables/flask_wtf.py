"""Flask-WTF: keeps CSRF tokens in `flask.session`."""

from ..runner import BACKEND, COOKIE, Suite

SUITE = Suite(
    distribution="flask-wtf",
    plugin="over_flask",
    passes=83,
    differences={COOKIE: {}, BACKEND: {}},
)
