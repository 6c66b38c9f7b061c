"""The built distributions, all of one version: what must be right before they are uploaded."""

from __future__ import annotations

import re
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ADAPTERS = sorted(one.parent.name for one in (ROOT / "adapters").glob("*/pyproject.toml"))
NAMES = ["sessionkit-core", *(f"sessionkit-{name}" for name in ADAPTERS)]


def wheel_of(dist: Path, name: str) -> zipfile.ZipFile:
    (path,) = dist.glob(f"{name.replace('-', '_')}-*.whl")
    return zipfile.ZipFile(path)


def metadata_of(dist: Path, name: str) -> Message:
    with wheel_of(dist, name) as wheel:
        (path,) = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(path).decode())


@pytest.fixture
def version(dist: Path) -> str:
    return metadata_of(dist, "sessionkit-core")["Version"]


def test_there_is_a_wheel_and_a_source_distribution_of_each_and_nothing_else(dist, version):
    stems = [f"{name.replace('-', '_')}-{version}" for name in NAMES]
    wanted = {f"{stem}{end}" for stem in stems for end in ("-py3-none-any.whl", ".tar.gz")}
    assert {one.name for one in dist.iterdir() if not one.name.startswith(".")} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_its_version_is_the_cores(dist, version, name):
    assert metadata_of(dist, name)["Version"] == version


@pytest.mark.parametrize("name", NAMES)
def test_it_leads_to_the_cores_page(dist, name):
    home = "Homepage, https://pypi.org/project/sessionkit-core/"
    assert metadata_of(dist, name).get_all("Project-URL") == [home]


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_adapter_wants_the_core_of_its_series(dist, version, name):
    series = re.match(r"\d+\.\d+", version)[0]
    wanted = metadata_of(dist, name).get_all("Requires-Dist")
    assert [one for one in wanted if one.startswith("sessionkit")] == [
        f"sessionkit-core=={series}.*"
    ]


def test_the_cores_extras_want_the_adapters_of_its_series(dist, version):
    series = re.match(r"\d+\.\d+", version)[0]
    wanted = metadata_of(dist, "sessionkit-core").get_all("Requires-Dist")
    assert [one for one in wanted if one.startswith("sessionkit")] == [
        f"sessionkit-{name}=={series}.*; extra == '{name}'" for name in ADAPTERS
    ]


def test_the_changelog_has_the_version(version):
    headings = re.findall(r"^## ([\w.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version in headings


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_holds_one_typed_package_and_its_metadata(dist, version, name):
    package = "sessionkit" if name == "sessionkit-core" else name.replace("-", "_")
    with wheel_of(dist, name) as wheel:
        files = wheel.namelist()
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    assert {one.partition("/")[0] for one in files} == {package, info}
    assert f"{package}/py.typed" in files
    assert f"{info}/METADATA" in files


def test_the_cores_source_distribution_has_what_its_own_tests_need(dist):
    (path,) = dist.glob("sessionkit_core-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {one.partition("/")[2] for one in archive.getnames()}
    for needed in ("pyproject.toml", "noxfile.py", "tests/requirements/test.txt", ".ci/run"):
        assert needed in names
    assert {f"adapters/{name}/pyproject.toml" for name in ADAPTERS} <= names


def test_no_source_distribution_has_what_is_not_in_the_repository(dist):
    for path in dist.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            strange = [
                one
                for one in archive.getnames()
                if re.search(r"__pycache__|\.venv|\.nox|uv\.lock|node_modules|\.pyc$", one)
            ]
        assert strange == []
