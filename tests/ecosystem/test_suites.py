"""Packages that build on sessions behave over sessionkit as over their framework's own session, but for what their tables list.

A test that fails and is not listed fails here, and so does one that is listed and passes. Packages whose source distribution has no
complete tests are left out: django-hijack (none), django-two-factor-auth (without their settings, URLs and templates).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from .runner import BACKEND, COOKIE, FRAMEWORK, Suite, fetch, passed

TABLES = sorted(
    path.stem for path in (Path(__file__).parent / "tables").glob("*.py") if path.stem != "__init__"
)
SUITES: dict[str, Suite] = {
    name: import_module(f".tables.{name}", __package__).SUITE for name in TABLES
}
RUNS = [
    (name, sessions)
    for name, suite in SUITES.items()
    for sessions in (COOKIE, BACKEND)
    if sessions in suite.differences
]

Outcomes = Mapping[tuple[str, str], "Future[dict[str, str]]"]


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcomes]:
    """The outcomes of all runs that this session asks for; two run at a time, each in a copy of its own."""
    items = [one for one in request.session.items if one.path == Path(__file__)]
    asked = sorted({one.callspec.params["name"] for one in items})
    folder = tmp_path_factory.mktemp("sources")
    sources = fetch([SUITES[name].distribution for name in asked], folder)

    def run(name: str, sessions: str) -> dict[str, str]:
        suite = SUITES[name]
        copy = folder / sessions / suite.distribution
        shutil.copytree(sources[suite.distribution], copy, symlinks=True)
        return suite.run(copy, sessions)

    with ThreadPoolExecutor(2) as pool:
        yield {
            (name, sessions): pool.submit(run, name, sessions)
            for name in asked
            for sessions in (FRAMEWORK, *SUITES[name].differences)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", SUITES)
def test_as_many_pass_over_the_frameworks_own_session_as_the_table_says(outcomes, name):
    assert len(passed(outcomes[name, FRAMEWORK].result())) == SUITES[name].passes


@pytest.mark.parametrize(("name", "sessions"), RUNS)
def test_exactly_what_is_listed_differs(outcomes, name, sessions):
    ours = outcomes[name, sessions].result()
    differing = passed(outcomes[name, FRAMEWORK].result()) - passed(ours)
    listed = SUITES[name].differences[sessions].keys()
    assert sorted(differing - listed) == [], "differ, and are not listed"
    assert sorted(listed - differing) == [], "pass: take them off the list"
