"""Which settings make two stores one."""

import pytest

from sessionkit import ConfigurationError, CookieSettings, Lifetime, Native, SessionStore
from sessionkit._exchange.framework_keys import FrameworkKeys
from sessionkit.backends import MemoryBackend, SQLiteBackend
from sessionkit.formats import (
    Auth0FastAPI,
    Auth0V3,
    Auth0V4,
    AuthJSV5,
    ExpressOpenID,
    Importer,
    NextAuthV4,
)

from ..scene import OTHER_SECRET, SECRET


def of_admins(session):
    return bool(session.get("admin"))


def moved_in(contents):
    return contents


EARLIER = Importer(Native(), name="old", until=None, convert=moved_in)


@pytest.mark.parametrize(
    ("named", "differing"),
    [
        ({"secret": OTHER_SECRET}, "secret"),
        ({"secret": [SECRET, OTHER_SECRET]}, "secret"),
        ({"audience": "b"}, "audience"),
        ({"cookie": CookieSettings(name="app")}, "cookie"),
        ({"cookie": CookieSettings(same_site="Strict")}, "cookie"),
        ({"lifetime": Lifetime(idle=60)}, "lifetime"),
        ({"lifetimes": {"kiosk": Lifetime(idle=60)}}, "lifetimes"),
        ({"guard": of_admins}, "guard"),
        ({"identity": of_admins}, "identity"),
        ({"renews": of_admins}, "renews"),
        ({"login_keys": ["user_id"]}, "login_keys"),
        ({"accept": [EARLIER]}, "accept"),
    ],
)
def test_every_setting_that_decides_makes_another_store_and_equal_ones_the_same(named, differing):
    settings = SessionStore(SECRET).settings
    named = {"secret": SECRET, **named}
    one, other = SessionStore(**named).settings, SessionStore(**named).settings
    assert one.same_store(other) is True
    assert settings.differences(one) == one.differences(settings) == (differing,)
    assert settings.same_store(one) is False


def test_stores_with_backends_in_the_same_place_are_one_store(tmp_path):
    def make(name, **settings):
        return SessionStore(SECRET, backend=SQLiteBackend(tmp_path / name, **settings))

    site, api, other = make("one.db"), make("one.db", timeout=1), make("other.db")
    with site.exchange(), api.exchange() as inner:
        api.create_session({"user": {"sub": "ada"}})
        assert inner.settings.same_store(site.settings)
    assert len(site.sessions_of({"user": {"sub": "ada"}})) == 1
    assert site.settings.differences(other.settings) == ("backend",)
    backends = [one.settings.backend for one in (site, api, other)]
    assert len({*backends, MemoryBackend(), MemoryBackend()}) == 4


def test_a_backend_that_names_no_place_equals_itself_only(tmp_path):
    class Wrapping(SQLiteBackend):
        def __init__(self, backend):
            self.backend = backend

    backend = SQLiteBackend(tmp_path / "sessions.db")
    one, other = Wrapping(backend), Wrapping(backend)
    assert one not in (other, backend)
    assert len({one, other}) == 2


def test_a_backend_of_the_applications_class_equals_itself_only(tmp_path):
    """As if each tenant of a site had his own records in a database of all."""

    class OfTenant(SQLiteBackend):
        def __init__(self, path, tenant):
            super().__init__(path)
            self.tenant = tenant

    one, other = (OfTenant(tmp_path / "sessions.db", tenant) for tenant in ("one", "other"))
    assert one == one  # noqa: PLR0124
    assert one not in (other, SQLiteBackend(tmp_path / "sessions.db"))
    assert len({one, other}) == 2


@pytest.mark.parametrize("limit", ["max_sessions", "max_record"])
def test_a_limit_of_a_store_on_the_server_is_not_ignored_within_another_store(limit):
    backend = MemoryBackend()
    site, admin = (SessionStore(SECRET, backend=backend, **more) for more in ({}, {limit: 300}))
    with (
        site.exchange(),
        pytest.raises(ConfigurationError, match=f"differ in {limit}: give"),
    ):
        admin.create_session({"user": {"sub": "root"}})
    assert site.sessions_of({"user": {"sub": "root"}}) == []


@pytest.mark.parametrize(
    "importer",
    [
        Importer(Native(), name="old", until=None, convert=moved_in, secret=OTHER_SECRET),
        Importer(Native(), name="older", until=None, convert=moved_in),
        Importer(Native(), name="old", until=5_000_000_000, convert=moved_in),
        Importer(Native(), name="old", until=None, convert=moved_in, clear=False),
        Importer(Native(), name="old", until=None),
        Importer(Auth0V3(), name="old", until=None, convert=moved_in),
    ],
)
def test_importers_that_differ_in_anything_make_another_store(importer):
    one, other = (SessionStore(SECRET, accept=[which]).settings for which in (EARLIER, importer))
    assert one.differences(other) == ("accept",)


@pytest.mark.parametrize(
    "format", [Native, Auth0V3, Auth0V4, Auth0FastAPI, AuthJSV5, ExpressOpenID, NextAuthV4]
)
def test_a_store_of_any_format_built_again_is_the_same_store(format):
    lifetime = Lifetime(rolling=False) if format is Auth0FastAPI else None
    one, other = (
        SessionStore(SECRET, format=format(), lifetime=lifetime).settings for _ in range(2)
    )
    assert one.differences(other) == ()


def test_a_store_that_serves_a_frameworks_own_session_is_the_same_store():
    store = SessionStore(SECRET)
    flask, starlette = (
        store.settings.with_framework(FrameworkKeys(login=login)) for login in (("_user_id",), ())
    )
    assert flask.same_store(store.settings)
    assert store.settings.same_store(flask)
    assert flask.same_store(starlette)
    assert not flask.same_store(SessionStore(SECRET, guard=of_admins).settings)


def test_differing_settings_are_named_and_their_values_are_not():
    one, other = SessionStore(SECRET), SessionStore(OTHER_SECRET, audience="canary")
    with (
        one.exchange(),
        pytest.raises(ConfigurationError, match="differ in secret, audience: give") as refused,
    ):
        other.get_session()
    assert [text in str(refused.value) for text in (SECRET, OTHER_SECRET, "canary")] == [False] * 3
