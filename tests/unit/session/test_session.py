import copy
import pickle

import pytest

from sessionkit import Contents, Session, Stamp

STAMP = Stamp(id="i" * 22, created_at=1, updated_at=2, expires_at=3)


class Watching:
    def __init__(self, *, refuse=False):
        self.calls = []
        self.refuse = refuse

    def writing(self, key):
        self.calls.append("writing")
        if self.refuse:
            raise RuntimeError("too late")
        return True

    def written(self):
        self.calls.append("written")


ASSIGNMENTS = {
    "__setitem__": lambda session: session.__setitem__("a", 2),
    "__delitem__": lambda session: session.__delitem__("a"),
    "__ior__": lambda session: session.__ior__({"a": 2}),
    "clear": lambda session: session.clear(),
    "pop": lambda session: session.pop("a"),
    "popitem": lambda session: session.popitem(),
    "setdefault": lambda session: session.setdefault("b", 2),
    "update": lambda session: session.update(a=2),
}


def test_every_method_of_dict_that_assigns_is_among_the_watched():
    # A method that a later Python adds to dict must not walk past the watcher.
    reading = {"copy", "fromkeys", "get", "items", "keys", "values"}
    assert {name for name in vars(dict) if not name.startswith("_")} - reading == {
        name for name in ASSIGNMENTS if "__" not in name
    }


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_is_told_before_and_after(name):
    watcher = Watching()
    ASSIGNMENTS[name](Session({"a": 1}, watcher=watcher))
    assert ["writing", "written"] == watcher.calls


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_that_the_watcher_refuses_changes_nothing(name):
    session = Session({"a": 1}, watcher=Watching(refuse=True))
    with pytest.raises(RuntimeError, match="too late"):
        ASSIGNMENTS[name](session)
    assert {"a": 1} == session


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_to_an_unwatched_session_does_what_it_does_to_a_dict(name):
    session, plain = Session({"a": 1}), {"a": 1}
    assert ASSIGNMENTS[name](plain) == ASSIGNMENTS[name](session)
    assert plain == session


def test_the_watcher_is_told_of_an_assignment_that_failed_half_way():
    watcher = Watching()
    session = Session(watcher=watcher)
    with pytest.raises(ValueError, match="dictionary update sequence"):
        session.update([("a", 1), ("b",)])
    assert {"a": 1} == session
    assert ["writing", "written"] == watcher.calls


def test_an_in_place_union_leaves_a_session():
    session = Session({"a": 1}, stamp=STAMP)
    session |= {"b": 2}
    assert STAMP == session.stamp
    assert {"a": 1, "b": 2} == session


def test_a_session_takes_pairs_as_a_dict_does():
    assert {"a": 1} == Session([("a", 1)])


def test_a_session_of_ones_own_has_no_stamp():
    assert Contents({"a": 1}).stamp is None
    with pytest.raises(ValueError, match="take the session that get_session or create_session"):
        _ = Session({"a": 1}).stamp


def test_the_repr_shows_keys_and_stamp_but_no_value():
    assert f"<Session keys=['user'] stamp={STAMP!r}>" == repr(
        Session({"user": "value-canary"}, stamp=STAMP)
    )


@pytest.mark.parametrize(
    "how", [lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy, Session.copy]
)
def test_a_session_pickles_and_copies_as_a_plain_dict(how):
    made = how(Session({"a": [1]}, stamp=STAMP))
    assert dict is type(made)
    assert {"a": [1]} == made


def test_a_deep_copy_shares_no_nested_value():
    session = Session({"a": [1]})
    copy.deepcopy(session)["a"].append(2)
    assert {"a": [1]} == session


def test_a_stamp_is_a_value():
    assert Stamp(id="i" * 22, created_at=1, updated_at=2, expires_at=3) == STAMP
    with pytest.raises(AttributeError):
        STAMP.expires_at = 4
