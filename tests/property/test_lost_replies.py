"""Two requests of one browser, or one and a revocation, in every order of their operations, while the backend loses one reply."""

from itertools import combinations_with_replacement, islice, product

import pytest

from ..unit.interleaving import ACTIONS, Faulty, Revoking, run_faults

PAIRS = list(combinations_with_replacement(ACTIONS, 2))[1:]
SAMPLE = 25
"""The orders for each fault that a developer waits for."""


@pytest.mark.parametrize("actions", PAIRS, ids="-".join)
def test_a_lost_reply_does_no_damage_in_any_order(thorough, actions):
    world, orders = Faulty(), 0
    for request, performed, status in product((0, 1), (False, True), (200, 500, None)):
        runs = run_faults(world, actions, request, performed, status)
        for outcome in runs if thorough else islice(runs, SAMPLE):
            assert (world.fault, 0) == (world.fault, outcome.damage)
            orders += 1
    assert orders >= 12


@pytest.mark.parametrize("action", ACTIONS)
def test_a_revocation_ends_the_session_in_any_order_though_a_reply_is_lost(thorough, action):
    world, orders = Revoking(), 0
    for request, performed, status in product((0, 1), (False, True), (200, 500, None)):
        runs = run_faults(world, (action, "revoke"), request, performed, status)
        for outcome in runs if thorough else islice(runs, SAMPLE):
            assert (world.fault, 0) == (world.fault, outcome.damage)
            assert world.told[-1] in (True, False)
            orders += 1
    assert orders >= 12
