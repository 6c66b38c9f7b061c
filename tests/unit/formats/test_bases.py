"""What the base classes of formats do for a format of one's own, and how such a format is found."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sessionkit import JSON, Absence, ConfigurationError, SessionStore, Stamp
from sessionkit.formats import (
    BaseCodec,
    BaseOpener,
    DjangoCookie,
    FlaskCookie,
    Importer,
    IronSession,
    Layout,
    Opened,
    StarletteCookie,
    Times,
    Traits,
    sign_id,
)
from sessionkit.formats._recognition import known_formats, recognize, spoken_format

from ..foreign_format import Plain, PlainCodec
from ..scene import ALICE, SECRET, START, Scene

# ---- times


@pytest.mark.parametrize("field", ["created", "updated", "expires"])
@pytest.mark.parametrize("value", [None, "1", True, -1, 10**10 + 1, float("nan"), [1], {}])
def test_a_time_that_is_no_number_of_seconds_is_malformed(field, value):
    times = {"created": START, "updated": START, "expires": START + 9} | {field: value}
    assert Times(**times).stamp("id", START) is Absence.MALFORMED


@pytest.mark.parametrize("value", ["1", True, float("nan"), [1], {}])
def test_an_end_that_is_no_number_is_malformed(value):
    assert Times(START, START, START + 9, value).stamp("id", START) is Absence.MALFORMED


@pytest.mark.parametrize(
    ("ends", "kept"), [(-5, 0), (float("inf"), 10**10), (10**11, 10**10), (float("-inf"), 0)]
)
def test_an_end_beyond_all_times_is_the_last_of_them(ends, kept):
    stamp = Times(START, START, START + 9, ends).stamp("id", START)
    assert (stamp.ends_at, stamp.expires_at) == (kept, min(kept, START + 9))


@pytest.mark.parametrize("field", ["created", "updated"])
def test_a_time_further_ahead_than_two_clocks_may_differ_is_not_yet_valid(field):
    times = {"created": START, "updated": START, "expires": START + 99}
    assert Times(**times | {field: START + 61}).stamp("id", START) is Absence.NOT_YET_VALID
    assert isinstance(Times(**times | {field: START + 60}).stamp("id", START), Stamp)


def test_a_stamp_has_whole_seconds_and_expires_no_later_than_it_ends():
    stamp = Times(START + 0.9, START + 1.9, START + 99.9, START + 50.5).stamp("id", START)
    assert stamp == Stamp(
        id="id",
        created_at=START,
        updated_at=START + 1,
        expires_at=START + 50,
        ends_at=START + 50,
    )


# ---- formats that are only imported


@pytest.mark.parametrize(
    "source",
    [FlaskCookie(), StarletteCookie(), DjangoCookie(), IronSession()],
    ids=lambda one: one.traits.label,
)
def test_a_store_does_not_write_a_format_that_can_only_be_imported(source):
    with pytest.raises(ConfigurationError, match=r"can only be imported: give accept=\[Importer"):
        SessionStore(SECRET, format=source)


# ---- formats without a base class, and without a seal


class Duck:
    """A format that has the members, and inherits from nothing."""

    traits, layout = Plain.traits, Plain.layout

    def cookie_name(self, *, host_only, secure):
        return "duck"

    def recognizes(self, text):
        return Plain().recognizes(text)

    def looks_like(self, name, value):
        return name == "duck"

    def keys(self, secret):
        return Plain().keys(secret)

    def codec(self, keys, **settings):
        return Plain().codec(keys, **settings)


def test_a_format_needs_the_members_and_no_base_class():
    scene = Scene(format=Duck())
    scene.browser.login({**ALICE, "big": "x" * 5000})
    assert scene.browser.jar.names() == ["duck__0", "duck__1"]
    assert scene.browser.session()["big"] == "x" * 5000


class Reader(BaseOpener):
    """Opens tokens of `Plain`, and seals none."""

    def __init__(self, secrets):
        super().__init__(secrets)
        self.codec = PlainCodec(secrets, JSON)

    def open(self, token, now):
        return self.codec.open(token, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyRead(Plain):
    traits = Traits(label="only-read", title="OnlyRead", read_only=True)

    def codec(self, keys, *, name, audience, lifetime, serializer):
        return Reader(keys)


def test_a_source_of_ones_own_is_imported_through_an_opener_alone():
    old = Scene(format=Plain())
    old.browser.login({**ALICE, "big": "x" * 5000})
    scene = Scene(accept=[Importer(OnlyRead(), until=None)])
    scene.browser.jar.receive(
        [f"{pair}; Path=/; Secure" for pair in old.browser.jar.header().split("; ")]
    )
    visit = scene.browser.visit()
    assert visit.exchange.get()["big"] == "x" * 5000
    visit.arrive()
    assert [name for name in scene.browser.jar.names() if "plain" in name] == []
    with pytest.raises(ConfigurationError, match="OnlyRead sessions can only be imported"):
        SessionStore(SECRET, format=OnlyRead())


# ---- a codec that overrides nothing


class Bare(BaseCodec):
    """Tokens in the clear, with the id before them."""

    def seal(self, plaintext, stamp):
        return f"{stamp.id}.{stamp.created_at}.{plaintext.hex()}"

    def open(self, token, now):
        id, _, rest = token.partition(".")
        created, _, text = rest.partition(".")
        contents = self.parse(bytes.fromhex(text))
        stamp = Times(int(created), int(created), int(created) + 86_400).stamp(id, now)
        return Opened(contents, stamp, id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear(Plain):
    layout = Layout(complete=str.isalnum)

    def codec(self, keys, *, name, audience, lifetime, serializer):
        return Bare(keys, serializer)


def test_a_codec_with_nothing_but_open_and_seal_keeps_a_session_and_ends_it():
    scene = Scene(format=Clear())
    scene.browser.login({**ALICE, "n": 1})
    late = scene.browser.visit()
    assert late.exchange.get()["n"] == 1
    scene.browser.update(n=2)
    assert scene.browser.session()["n"] == 2
    header = scene.browser.jar.header()
    scene.browser.logout()
    scene.browser.jar.receive([f"{header.partition(';')[0]}; Path=/; Secure"])
    assert scene.browser.absence() is Absence.LOGGED_OUT


def test_what_opens_tokens_shows_nothing_and_does_not_pickle():
    codec = Scene(format=Clear()).store.settings.codec
    assert repr(codec) == "<Bare>"
    with pytest.raises(TypeError, match="keys do not pickle"):
        pickle.dumps(codec)


@pytest.mark.parametrize("plaintext", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 99_999, b'{"a":%s%s}' % (b"[" * 100, b"]" * 100)])  # fmt: skip
def test_a_plaintext_that_is_no_object_or_too_deep_is_none(plaintext):
    assert Scene(format=Clear()).store.settings.codec.parse(plaintext) is None


# ---- recognition


def test_a_signed_session_id_is_recognized_but_not_in_the_last_chunk_of_a_token():
    value = sign_id("an-id", name="appSession", secret=SECRET)
    title = "signed session id of nextjs-auth0 or express-openid-connect"
    assert recognize(f"appSession={value}; x.1={value}; x__1={value}") == {"appSession": title}


def plain_header() -> str:
    scene = Scene(format=Plain())
    scene.browser.login(ALICE)
    return scene.browser.jar.header()


def test_a_format_that_nobody_knows_is_not_recognized_unless_it_is_named():
    header = plain_header()
    assert recognize(header) == {}
    assert recognize(header, known_formats([Plain()])) == {"plain": "Plain"}


def test_a_format_is_known_once():
    assert known_formats([Plain(), FlaskCookie(), Plain()]).count(Plain()) == 1
    assert len(known_formats([FlaskCookie()])) == len(known_formats())


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with an entry point on the path, as pip would."""

    def put(value: str) -> Path:
        info = tmp_path / "plain_sessions-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: plain-sessions\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[sessionkit.formats]\nplain = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path

    return put


@pytest.mark.parametrize("name", ["Plain", "INSTANCE"])
def test_a_format_that_an_installed_distribution_names_is_known(install, monkeypatch, name):
    module = type(sys)("plain_sessions")
    module.Plain, module.INSTANCE = Plain, Plain()
    monkeypatch.setitem(sys.modules, "plain_sessions", module)
    install(f"plain_sessions:{name}")
    assert Plain() in known_formats()
    assert spoken_format(plain_header()) == (Plain(), "plain")


class Nameless(Plain):
    def cookie_name(self, *, host_only, secure):
        raise ConfigurationError("give a name")


def test_an_installed_format_without_a_usual_name_is_known_by_its_tokens(install, monkeypatch):
    module = type(sys)("plain_sessions")
    module.Nameless = Nameless
    monkeypatch.setitem(sys.modules, "plain_sessions", module)
    install("plain_sessions:Nameless")
    assert spoken_format(plain_header()) == (Nameless(), "plain")


def test_a_format_that_cannot_be_loaded_is_reported_and_left_out(install, caplog):
    install("no_such_module:Plain")
    assert len(known_formats()) == 11
    assert "the format plain (no_such_module:Plain) cannot be loaded" in caplog.text


def test_the_command_opens_a_session_of_an_installed_format(install):
    folder = install("foreign_format:Plain")
    source = Path(__file__).parents[1] / "foreign_format.py"
    (folder / "foreign_format.py").write_text(source.read_text())
    ran = subprocess.run(
        [sys.executable, "-m", "sessionkit", "inspect"],
        input=plain_header().encode(),
        env={
            "SESSIONKIT_SECRET": SECRET,
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        },
        capture_output=True,
        timeout=60,
    )
    assert b'"looks like": {\n    "plain": "Plain"\n  }' in ran.stdout, ran.stderr
    assert b'"tag": "verified"' in ran.stdout
