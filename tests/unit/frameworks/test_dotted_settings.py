"""A store from the dotted settings of a configuration file."""

from __future__ import annotations

import pytest

from sessionkit import (
    ConfigurationError,
    SessionStore,
)
from sessionkit._frameworks.dotted_settings import store_from_dotted

KEY = "dotted: 0123456789abcdefghijklmnopqrstuvwxyz"


def test_dotted_settings_are_the_variables_by_another_name(monkeypatch):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    secret = KEY.replace(" ", "")
    config = {
        "sessionkit.secret": secret,
        "sessionkit.idle": 600,
        "sessionkit.cookie_secure": False,
        "pyramid.reload": True,
    }
    settings = store_from_dotted(config, {}).settings
    assert (settings.name, settings.lifetime.idle, settings.codec.ids) == (
        "session",
        600,
        SessionStore(secret).settings.codec.ids,
    )


@pytest.mark.parametrize(
    "secret", [KEY.encode(), [KEY, KEY[::-1]], (KEY[::-1].encode(), KEY), [KEY]]
)
def test_a_secret_that_was_not_read_from_a_file_is_the_one_that_a_store_takes(secret):
    ids = store_from_dotted({"sessionkit.secret": secret}, {}).settings.codec.ids
    assert ids == SessionStore(secret).settings.codec.ids


def test_what_dotted_settings_do_not_say_the_environment_may(monkeypatch):
    monkeypatch.setenv("SESSIONKIT_SECRET", KEY.replace(" ", ""))
    monkeypatch.setenv("SESSIONKIT_IDLE", "60")
    settings = store_from_dotted({"sessionkit.idle": "600"}, {"audience": "shop"}).settings
    assert (settings.lifetime.idle, settings.audience) == (600, "shop")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "SESSIONKIT_SECRET is not set"),
        ({"sessionkit.idel": "1"}, "did you mean SESSIONKIT_IDLE"),
    ],
)
def test_dotted_settings_that_cannot_work_are_refused(monkeypatch, config, said):
    monkeypatch.delenv("SESSIONKIT_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match=said):
        store_from_dotted(config, {})
