"""Flask-SocketIO: events of a socket read `flask.session`, and may write to it."""

from ..runner import BACKEND, COOKIE, Suite

UNMANAGED = {
    "test_socketio.TestSocketIO::test_unmanaged_session": "assigns to the session of an anonymous visitor in an event, which can set "
    "no cookie: an error over ours, and lost without a word over Flask's own"
}

SUITE = Suite(
    distribution="flask-socketio",
    plugin="over_flask",
    tests=("test_socketio.py",),
    passes=43,
    differences={COOKIE: UNMANAGED, BACKEND: UNMANAGED},
)
