from datetime import timedelta

import pytest

from sessionkit import Absence, ConfigurationError, Lifetime
from sessionkit._session.lifetime import check_lifetimes

DAY = 86_400


def times(lifetime):
    return lifetime.idle, lifetime.absolute, lifetime.rolling, lifetime.renew_after


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (DAY, 7 * DAY, True, 60)),
        ({"absolute": None}, (DAY, None, True, 60)),
        ({"absolute": 3600}, (3600, 3600, True, 60)),
        ({"idle": 60}, (60, 7 * DAY, True, 30)),
        ({"idle": 1}, (1, 7 * DAY, True, 0)),
        (
            {"idle": timedelta(hours=1), "absolute": timedelta(hours=12)},
            (3600, 12 * 3600, True, 60),
        ),
        ({"idle": 3600, "renew_after": 0}, (3600, 7 * DAY, True, 0)),
        ({"idle": 3600, "renew_after": timedelta(0)}, (3600, 7 * DAY, True, 0)),
        ({"idle": 3600, "renew_after": timedelta(minutes=5)}, (3600, 7 * DAY, True, 300)),
        ({"rolling": False}, (None, 7 * DAY, False, 0)),
        ({"rolling": False, "idle": 3600, "renew_after": 7200}, (None, 7 * DAY, False, 0)),
        ({"idle": 90.9}, (90, 7 * DAY, True, 45)),
        ({"idle": 3600, "absolute": 3600}, (3600, 3600, True, 60)),
    ],
)
def test_settings_become_whole_seconds_with_their_defaults(settings, expected):
    assert expected == times(Lifetime(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"idle": 0}, "idle must be between 1 second"),
        ({"idle": -1}, "idle must be between 1 second"),
        ({"idle": timedelta(-1)}, "idle must be between 1 second"),
        ({"idle": 0.5}, "idle must be between 1 second"),
        ({"absolute": 0}, "absolute must be between 1 second"),
        ({"absolute": timedelta(days=-7)}, "absolute must be between 1 second"),
        ({"absolute": 10**10 + 1}, "absolute must be between 1 second and 10000000000"),
        ({"absolute": float("inf")}, "absolute must be a number"),
        ({"absolute": 10**400}, "absolute must be between 1 second and 10000000000"),
        ({"idle": float("nan")}, "idle must be a number"),
        ({"idle": True}, "idle must be a number of seconds or a timedelta, not bool"),
        ({"idle": "3600"}, "idle must be a number of seconds or a timedelta, not str"),
        ({"idle": None}, "rolling=True needs an idle time"),
        ({"rolling": False, "absolute": None}, "would never end"),
        ({"idle": 3601, "absolute": 3600}, "is longer than absolute"),
        ({"idle": 60, "renew_after": 60}, "must be shorter than idle"),
        ({"idle": 60, "renew_after": 61}, "must be shorter than idle"),
        ({"renew_after": -1}, "renew_after must be between 1 second"),
        ({"renew_after": False}, "renew_after must be a number"),
    ],
)
def test_times_that_contradict_each_other_or_are_no_times_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        Lifetime(**settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rolling": False, "absolute": 500}, 1500),
        ({"idle": 100, "absolute": None}, 1300),
        ({"idle": 100, "absolute": 500}, 1300),
        ({"idle": 400, "absolute": 500}, 1500),
    ],
)
def test_expiry_is_the_smaller_of_idle_and_absolute(settings, expected):
    assert expected == Lifetime(**settings).expires_at(1000, 1200)


@pytest.mark.parametrize(
    ("settings", "expires_at", "last", "reason"),
    [
        ({"idle": 100, "absolute": 500}, 9999, 1299, Absence.IDLE),
        ({"idle": 400, "absolute": 500}, 9999, 1499, Absence.ABSOLUTE),
        ({"idle": 400, "absolute": 500}, 1250, 1249, Absence.EXPIRED),
        ({"rolling": False, "absolute": 500}, 9999, 1499, Absence.ABSOLUTE),
        ({"idle": 100, "absolute": None}, 9999, 1299, Absence.IDLE),
    ],
)
def test_a_session_is_over_at_equality_and_not_a_moment_before(settings, expires_at, last, reason):
    lifetime = Lifetime(**settings)
    assert lifetime.absence(1000, 1200, expires_at, last) is None
    assert lifetime.absence(1000, 1200, expires_at, last + 0.999) is None
    assert lifetime.absence(1000, 1200, expires_at, last + 1) is reason


def test_a_renewal_is_due_once_renew_after_has_passed():
    lifetime = Lifetime(idle=100, absolute=500, renew_after=30)
    assert [lifetime.due(1000, 1000, now) for now in (1029.9, 1030)] == [False, True]


def test_nothing_is_due_when_the_absolute_end_comes_first_anyway():
    lifetime = Lifetime(idle=100, absolute=500, renew_after=30)
    assert lifetime.due(1000, 1399, 1430) is True
    assert lifetime.due(1000, 1400, 1430) is False


def test_without_an_absolute_end_a_renewal_stays_due():
    assert Lifetime(idle=100, absolute=None).due(0, 10**9, 10**9 + 50) is True


def test_a_session_that_does_not_roll_is_never_due():
    assert Lifetime(rolling=False).due(0, 0, DAY) is False


def test_a_lifetime_is_a_value_without_secrets():
    assert Lifetime(idle=60) == Lifetime(idle=timedelta(minutes=1))
    assert (
        "Lifetime(idle=60, absolute=604800, rolling=True, renew_after=30, transient=None)"
        == repr(Lifetime(idle=60))
    )
    assert Lifetime(transient=True) != Lifetime()


@pytest.mark.parametrize("transient", [1, 0, "yes", []])
def test_a_transient_that_is_no_flag_is_refused(transient):
    with pytest.raises(ConfigurationError, match="transient must be True, False or None"):
        Lifetime(transient=transient)


# ---- names


@pytest.mark.parametrize("name", ["k", "remembered", "half-signed_in2", "A" * 20])
@pytest.mark.parametrize("transient", [True, False])
def test_a_name_keeps_its_lifetime_which_says_whether_cookies_are_transient(name, transient):
    lifetimes = {name: Lifetime(idle=60), "Z": Lifetime(rolling=False, transient=not transient)}
    made = check_lifetimes(lifetimes, transient=transient)
    assert Lifetime(idle=60, transient=transient) == made[name]
    assert Lifetime(rolling=False, transient=not transient) == made["Z"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1st",
        "-a",
        "_a",
        "a b",
        'a"',
        "a.b",
        "a\n",
        "a\0",
        "é",
        "A" * 21,
        "a\\",
        7,
        None,
        ("a",),
    ],
)
def test_a_name_that_cannot_stand_in_a_token_is_refused(name):
    with pytest.raises(ConfigurationError, match="cannot stand in a token"):
        check_lifetimes({name: Lifetime()}, transient=False)


@pytest.mark.parametrize("lifetimes", [None, [Lifetime()], "remembered", Lifetime(), 7])
def test_lifetimes_must_be_a_mapping(lifetimes):
    with pytest.raises(ConfigurationError, match="must be a mapping from names to lifetimes"):
        check_lifetimes(lifetimes, transient=False)


@pytest.mark.parametrize("value", [None, 3600, timedelta(1), {"idle": 60}])
def test_a_named_lifetime_must_be_a_lifetime(value):
    with pytest.raises(ConfigurationError, match=r"lifetimes\['kiosk'\] must be a Lifetime, not"):
        check_lifetimes({"kiosk": value}, transient=False)
