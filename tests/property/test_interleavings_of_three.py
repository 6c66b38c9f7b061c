"""Three requests of one browser, in as many orders of their operations as a minute allows."""

from itertools import combinations_with_replacement
from random import Random
from time import monotonic

from ..unit.interleaving import ACTIONS, World, run_orders

MINUTE, MOMENT = 60, 5
"""Seconds for all of it, and for the sample that a developer waits for."""


def test_three_requests_do_no_damage_in_any_order(thorough):
    seconds = MINUTE if thorough else MOMENT
    world, orders, started = World(), 0, monotonic()
    actions = list(combinations_with_replacement(ACTIONS, 3))
    runs = [(one, run_orders(world, one)) for one in actions]
    Random().shuffle(runs)
    while runs and monotonic() - started < seconds:
        # By turns, a few orders of each: whatever the machine's speed, each three have some.
        for run in tuple(runs):
            for _ in range(20):
                outcome = next(run[1], None)
                if outcome is None:
                    runs.remove(run)
                    break
                assert (run[0], 0) == (run[0], outcome.damage)
                orders += 1
    assert orders >= 20 * len(actions)
