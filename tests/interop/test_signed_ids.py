"""The session ids that nextjs-auth0 3 and express-openid-connect sign when they keep sessions in a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit.formats import sign_id, verify_id

from . import sessions
from .jar import Jar
from .javascript import Library
from .partners import EXPRESS, EXPRESS_V2, NEXTJS_V3, NOW, OTHER, SECRET, Partner

Get = Callable[[str], Library]
each = pytest.mark.parametrize(
    "partner", [NEXTJS_V3, EXPRESS, EXPRESS_V2], ids=lambda partner: partner.module
)


def stateful(partner: Partner, secrets: str | list[str] = SECRET) -> dict[str, Any]:
    options = partner.options(secrets)
    signing = (
        {"signSessionStoreCookie": True, "requireSignedSessionStoreCookie": True}
        if partner is not NEXTJS_V3
        else {}
    )
    return options | {"session": options["session"] | {"store": "memory"} | signing}


def signed_by(partner: Partner, library: Get, options: dict[str, Any]) -> str:
    jar = Jar(NOW)
    jar.take(
        library(partner.module)
        .ask("login", NOW, options, session=sessions.text(partner.core))
        .lines
    )
    return jar.cookies["appSession"]


@each
def test_we_verify_an_id_that_they_signed(partner: Partner, library: Get) -> None:
    value = signed_by(partner, library, stateful(partner))
    assert verify_id(value, name="appSession", secret=SECRET) == value.partition(".")[0]


@each
def test_we_verify_an_id_that_they_signed_with_a_secret_that_is_being_retired(
    partner: Partner, library: Get
) -> None:
    value = signed_by(partner, library, stateful(partner))
    assert verify_id(value, name="appSession", secret=[OTHER, SECRET]) == value.partition(".")[0]


@each
def test_we_refuse_an_id_that_they_signed_with_another_secret_or_for_another_cookie(
    partner: Partner, library: Get
) -> None:
    value = signed_by(partner, library, stateful(partner))
    assert verify_id(value, name="appSession", secret=OTHER) is None
    assert verify_id(value, name="otherSession", secret=SECRET) is None


@each
def test_we_sign_an_id_as_they_do(partner: Partner, library: Get) -> None:
    value = signed_by(partner, library, stateful(partner))
    assert sign_id(value.partition(".")[0], name="appSession", secret=SECRET) == value


@each
def test_they_find_their_record_by_an_id_that_we_signed(partner: Partner, library: Get) -> None:
    options = stateful(partner)
    sid = signed_by(partner, library, options).partition(".")[0]
    ours = sign_id(sid, name="appSession", secret=[SECRET, OTHER])
    read = library(partner.module).ask("read", NOW, options, f"appSession={ours}")
    assert read.session == sessions.text(partner.core)
    forged = sign_id(sid, name="appSession", secret=OTHER)
    assert library(partner.module).ask("read", NOW, options, f"appSession={forged}").session is None
