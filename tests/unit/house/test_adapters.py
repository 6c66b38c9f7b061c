"""The adapters' distributions: their versions move together with the core's."""

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest

ROOT = Path(__file__).parent.parent.parent.parent
CORE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ADAPTERS = sorted(one.parent for one in (ROOT / "adapters").glob("*/pyproject.toml"))


def test_there_are_adapters():
    assert ROOT / "adapters" / "flask" in ADAPTERS


@pytest.fixture(params=ADAPTERS, ids=lambda folder: folder.name)
def adapter(request):
    return request.param


def project(adapter):
    return tomllib.loads((adapter / "pyproject.toml").read_text())["project"]


def test_it_is_named_after_its_framework(adapter):
    assert project(adapter)["name"] == f"sessionkit-{adapter.name}"
    assert (adapter / "src" / f"sessionkit_{adapter.name}" / "__init__.py").exists()


def test_the_core_has_an_extra_for_it(adapter):
    series = re.match(r"\d+\.\d+", CORE["version"])[0]
    assert CORE["optional-dependencies"][adapter.name] == [f"sessionkit-{adapter.name}=={series}.*"]


def test_its_version_is_the_cores(adapter):
    assert project(adapter)["version"] == CORE["version"]


def test_it_depends_on_the_core_of_the_same_series(adapter):
    series = re.match(r"\d+\.\d+", CORE["version"])[0]
    assert [one for one in project(adapter)["dependencies"] if one.startswith("sessionkit")] == [
        f"sessionkit-core=={series}.*"
    ]


def test_it_is_typed_and_has_a_readme_and_the_cores_license(adapter):
    assert (adapter / "src" / f"sessionkit_{adapter.name}" / "py.typed").exists()
    assert (adapter / project(adapter)["readme"]).exists()
    assert project(adapter)["license"] == CORE["license"]
