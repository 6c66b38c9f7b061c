"""How hard the properties are tried: `HYPOTHESIS_PROFILE=ci` for all of it, else what a developer waits for.

The profile also scales what is not drawn by hypothesis (fuzzed headers, bits flipped): see the fixture `thorough`.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

# The machine that runs this is shared: a slow example is no failure, and no example database is left behind.
COMMON = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=60, stateful_step_count=30, **COMMON)
settings.register_profile(
    "ci", max_examples=300, stateful_step_count=50, derandomize=True, print_blob=True, **COMMON
)
settings.register_profile(
    "hunt",
    max_examples=5_000,
    stateful_step_count=50,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    **COMMON,
)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
settings.load_profile(PROFILE)


@pytest.fixture
def thorough() -> bool:
    """Whether to try everything, or the sample that a developer waits for."""
    return PROFILE != "dev"
