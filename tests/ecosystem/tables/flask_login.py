"""Flask-Login: logs users in by writing to `flask.session`."""

from ..runner import BACKEND, COOKIE, Suite

SUITE = Suite(
    distribution="flask-login",
    plugin="over_flask",
    passes=114,
    differences={COOKIE: {}, BACKEND: {}},
)
