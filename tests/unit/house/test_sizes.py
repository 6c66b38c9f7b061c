"""A file of tests that outgrows a sitting is two."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
LINES = 400
PLACES = [ROOT / "tests", *ROOT.glob("adapters/*/tests")]


def test_a_file_of_tests_has_at_most_400_lines():
    files = [
        path for place in PLACES for path in place.rglob("*.py") if "node_modules" not in path.parts
    ]
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in files}
    assert len(lengths) > 400
    assert {} == {
        str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LINES
    }
