"""Two requests of one browser, in every order of their operations."""

from collections import Counter
from itertools import combinations_with_replacement

import pytest

from ..interleaving import ACTIONS, Snapshotted, Uncompared, Upserting, World, run_orders

PAIRS = list(combinations_with_replacement(ACTIONS, 2))


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.mark.parametrize("actions", PAIRS, ids="-".join)
def test_two_requests_do_no_damage_in_any_order(world, actions):
    outcomes = list(run_orders(world, actions))
    assert len(outcomes) >= 6
    assert [0] * len(outcomes) == [outcome.damage for outcome in outcomes]


@pytest.mark.parametrize("actions", [("function", "function"), ("update", "update")], ids="-".join)
def test_every_write_is_acknowledged_when_nothing_ends_the_session(world, actions):
    assert {len(outcome.kept) for outcome in run_orders(world, actions)} == {2}


def count_damage(kind):
    world, found = World(kind), Counter()
    for actions in PAIRS:
        for outcome in run_orders(world, actions):
            found += Counter(
                orders=1, revived=outcome.revived, lost=outcome.lost, orphans=outcome.orphans
            )
    return found


def test_the_same_orders_show_the_damage_of_a_store_that_upserts():
    found = count_damage(Upserting)
    assert found["revived"] > 0
    assert found["lost"] > 0


def test_the_same_orders_show_the_damage_of_a_store_that_compares_no_version():
    found = count_damage(Uncompared)
    assert found["lost"] > 0


def test_the_orders_are_all_there():
    orders = count_damage(Snapshotted)
    assert orders["orders"] > 250
    assert +orders == Counter(orders=orders["orders"])
