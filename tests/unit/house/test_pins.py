"""The pinned tools and test dependencies: each has hashes, and no file says where it was made."""

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest

ROOT = Path(__file__).parent.parent.parent.parent
PINS = ROOT / "tests/requirements"
FILES = sorted([*PINS.glob("*.txt"), *ROOT.glob("adapters/*/tests/requirements.txt")])
ADAPTERS = sorted(path.parent for path in ROOT.glob("adapters/*/pyproject.toml"))
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]


def lines_of(path):
    """The lines of a file of pins, continued ones joined."""
    text = path.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names_in(group):
    """The distributions that a dependency group names, its included groups too."""
    for one in GROUPS[group]:
        if isinstance(one, dict):
            yield from names_in(one["include-group"])
        else:
            yield normalized(re.match(r"[\w.-]+", one)[0])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_line_is_one_version_with_its_hashes(path):
    assert lines_of(path) != []
    for line in lines_of(path):
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+( ; [^\\#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_names_no_address_and_no_path(path):
    assert re.findall(r"://|(?:^|\s)/|--(?!hash)\w", path.read_text()) == []


@pytest.mark.parametrize("group", sorted(set(GROUPS) - {"build"}))
def test_every_group_is_pinned_whole(group):
    pinned = {normalized(line.partition("==")[0]) for line in lines_of(PINS / f"{group}.txt")}
    assert set(names_in(group)) - pinned == set()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda folder: folder.name)
def test_what_an_adapters_tests_name_is_pinned(adapter):
    groups = tomllib.loads((adapter / "pyproject.toml").read_text())["dependency-groups"]
    named = {normalized(re.match(r"[\w.-]+", one)[0]) for one in groups["test"]}
    lines = lines_of(adapter / "tests/requirements.txt")
    assert named - {normalized(line.partition("==")[0]) for line in lines} == set()


def test_every_file_of_pins_is_of_a_group():
    assert {path.stem for path in PINS.iterdir()} == set(GROUPS) - {"build"}


def test_every_adapter_has_its_own_pins():
    assert [path.parent.parent for path in FILES if path.name == "requirements.txt"] == ADAPTERS
