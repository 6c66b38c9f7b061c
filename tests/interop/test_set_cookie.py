"""Where both sides set one cookie they set it alike: name, path, domain, flags, and the moment at which it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import Lifetime

from . import sessions
from .jar import Jar, expiry
from .javascript import Library
from .partners import (
    AUTH_JS,
    EXPRESS,
    EXPRESS_V2,
    NEXT_AUTH,
    NEXTJS_V3,
    NEXTJS_V4,
    NOW,
    PARTNERS,
    Partner,
    we_create,
)

Get = Callable[[str], Library]
COOKIE = {"sameSite": "strict", "domain": "example.org", "path": "/app", "httpOnly": True}
OURS = {"same_site": "Strict", "domain": "example.org", "path": "/app"}


def attributes(line: str) -> dict[str, object]:
    """What a line says, apart from the value; its two ways of giving the expiry made one."""
    pair, *rest = (one.strip() for one in line.split(";"))
    said = {name.lower(): value.lower() for name, _, value in (one.partition("=") for one in rest)}
    ends = expiry(rest, NOW)
    kept = {name: value for name, value in said.items() if name not in ("max-age", "expires")}
    return {"name": pair.partition("=")[0], "ends": ends, **kept}


def both(
    partner: Partner, library: Get, options: dict[str, Any], **cookie: Any
) -> tuple[dict[str, object], dict[str, object]]:
    """The attributes of the session cookie that they set, and that we set."""
    store = partner.store(lambda: NOW, **cookie)
    ours = we_create(store, Jar(NOW), partner.core)
    theirs = (
        library(partner.module)
        .ask("login", NOW, options, session=sessions.text(partner.core))
        .lines
    )
    name = store.settings.name
    (found,) = (attributes(line) for line in theirs if line.startswith(f"{name}="))
    (made,) = (attributes(line) for line in ours if line.startswith(f"{name}="))
    return found, made


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.module)
def test_by_default_the_attributes_are_theirs(partner: Partner, library: Get) -> None:
    theirs, ours = both(partner, library, partner.options())
    assert theirs == ours


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2], ids=lambda partner: partner.module
)
def test_so_are_those_of_other_settings(partner: Partner, library: Get) -> None:
    options = partner.options()
    same_site = (
        "Strict" if partner is not NEXTJS_V3 else "strict"
    )  # express-openid-connect writes it as the header does
    options["session"]["cookie"] = COOKIE | {"sameSite": same_site}
    theirs, ours = both(partner, library, options, **OURS)
    assert theirs == ours


def test_so_are_those_of_other_settings_of_nextjs_auth0_4(library: Get) -> None:
    options = NEXTJS_V4.options()
    options["session"]["cookie"] = {
        name: value for name, value in COOKIE.items() if name != "httpOnly"
    } | {"secure": True}
    theirs, ours = both(NEXTJS_V4, library, options, **OURS)
    assert theirs == ours


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2, NEXTJS_V4], ids=lambda partner: partner.module
)
def test_a_transient_cookie_has_no_expiry(partner: Partner, library: Get) -> None:
    options = partner.options()
    options["session"]["cookie"] = {"transient": True}
    theirs, ours = both(partner, library, options, transient=True)
    assert theirs == ours
    assert ours["ends"] is None


@pytest.mark.parametrize("partner", [NEXT_AUTH, AUTH_JS], ids=lambda partner: partner.module)
def test_over_plain_http_the_name_is_theirs_too(partner: Partner, library: Get) -> None:
    theirs, ours = both(partner, library, partner.options() | {"secure": False}, secure=False)
    assert theirs == ours


@pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2, NEXTJS_V4], ids=lambda partner: partner.module
)
def test_the_cookie_ends_with_the_session_when_the_absolute_lifetime_is_the_shorter(
    partner: Partner, library: Get
) -> None:
    lifetime = Lifetime(rolling=False, absolute=1000)
    theirs = (
        library(partner.module)
        .ask("login", NOW, partner.options(lifetime=lifetime), session=sessions.text(partner.core))
        .lines
    )
    ours = we_create(partner.store(lambda: NOW, lifetime=lifetime), Jar(NOW), partner.core)
    assert attributes(theirs[0])["ends"] == attributes(ours[0])["ends"] == NOW + 1000
