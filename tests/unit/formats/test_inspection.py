"""`python -m sessionkit inspect` recognises the sessions of other libraries, and shows what is in those that it can read."""

import json
import subprocess
import sys

import pytest

from sessionkit import SessionStore, anyone
from sessionkit._cli.inspection import inspect
from sessionkit.formats import FlaskCookie, Importer
from sessionkit.formats._recognition import spoken_format

from .foreign_cookies import FLASK, OLD, PYTHON
from .golden import GOLDEN, IRON, Golden


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_a_golden_session_is_found_in_its_format_under_its_name(golden: Golden):
    format, name = spoken_format(golden.header)
    assert (format, name) == (golden.format, golden.store().settings.name)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_its_keys_and_times_are_shown(golden: Golden):
    report = inspect(golden.store().settings, golden.header, golden.now, values=True)
    (token,) = report["tokens"]
    assert token["tag"] == "verified"
    assert token["values"] == golden.contents
    assert token["times"]["expires"] == golden.expires


@pytest.mark.parametrize(
    "header", ["", "a=b", FLASK, f"sid={next(iter(IRON[0]['cookies'].values()))}"]
)
def test_what_can_only_be_imported_is_no_spoken_format(header):
    assert spoken_format(header) is None


def test_a_session_of_ours_beside_it_goes_first():
    store = SessionStore(
        OLD,
        accept=[Importer(FlaskCookie(), until=None)],
        guard=anyone,
        clock=lambda: PYTHON[0]["now"],
    )
    with store.exchange(FLASK) as exchange:
        exchange.get()
    ours = exchange.response_headers[0][1].partition(";")[0]
    assert spoken_format(f"{GOLDEN[0].header}; {ours}") is None
    assert inspect(store.settings, f"{FLASK}; {ours}", PYTHON[0]["now"])["looks like"] == {
        "session": "Flask",
        "__Host-session": "sessionkit",
    }


@pytest.mark.parametrize(
    "golden",
    [GOLDEN[0], next(one for one in GOLDEN if "auth0-v4" in one.id)],
    ids=lambda golden: golden.id,
)
def test_the_command_reads_them(golden: Golden):
    command = [sys.executable, "-m", "sessionkit", "inspect"]
    ran = subprocess.run(
        command,
        input=golden.header.encode(),
        env={"SESSIONKIT_SECRET": golden.secret},
        capture_output=True,
        timeout=60,
    )
    report = json.loads(ran.stdout)
    assert report["cookie"] == golden.store().settings.name
    (token,) = report["tokens"]
    assert (token["tag"], token["refused"], ran.returncode) == (
        "verified",
        "past its absolute lifetime",
        1,
    )


def test_the_command_recognises_what_it_cannot_open():
    command = [sys.executable, "-m", "sessionkit", "inspect"]
    ran = subprocess.run(
        command,
        input=FLASK.encode(),
        env={"SESSIONKIT_SECRET": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
        capture_output=True,
        timeout=60,
    )
    assert json.loads(ran.stdout)["looks like"] == {"session": "Flask"}
