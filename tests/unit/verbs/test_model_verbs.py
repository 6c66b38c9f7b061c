"""The verbs for frameworks without environ and scope."""

from __future__ import annotations

import pytest

from sessionkit._default import TypedVerbs
from sessionkit._exchange.request import HOLDER, HeaderRequest
from sessionkit._requests.recognition import register_request
from sessionkit._requests.responses import register_response

from ..scene import ALICE, Scene, names


class Asked:
    """A request object of some framework."""

    def __init__(self, cookies: str = "") -> None:
        self.info = HeaderRequest(cookies)


class Answered:
    """Its response object."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []

    def items(self) -> list[tuple[str, str]]:
        return list(self.fields)

    def __delitem__(self, name: str) -> None:
        self.fields = [(field, value) for field, value in self.fields if field != name]

    def add(self, name: str, value: str) -> None:
        self.fields.append((name, value))


register_request(Asked, lambda asked: asked.info)
register_response(Answered, lambda answered: answered)
verbs = TypedVerbs[Asked, Answered]()


def served(scene: Scene) -> Asked:
    asked = Asked(scene.browser.jar.header())
    asked.info.holder[HOLDER] = scene.store.begin(asked.info)
    return asked


def test_they_act_on_the_exchange_of_a_registered_request() -> None:
    scene = Scene()
    scene.browser.login()
    asked, answered = served(scene), Answered()
    before = verbs.get_session(asked)
    assert before == ALICE
    assert verbs.update_session(asked, {**ALICE, "n": 1}) is True
    assert verbs.touch_session(asked, answered) is True
    assert verbs.rotate_session(asked) is True
    assert verbs.get_session(asked) == {**ALICE, "n": 1}
    assert verbs.create_session(asked, ALICE) == ALICE
    assert verbs.get_exchange(asked) is asked.info.holder[HOLDER]
    assert verbs.delete_session(asked) is True
    assert answered.fields == []  # whoever serves the request writes the response


def test_without_a_gateway_they_write_into_the_registered_response() -> None:
    scene, answered = Scene(), Answered()
    asked = served(scene)
    asked.info.holder[HOLDER].owned = False
    verbs.create_session(asked, answered, ALICE)
    assert names([value for name, value in answered.fields if name == "Set-Cookie"]) == [
        "__Host-session"
    ]


class Both:
    """An object of some framework that is request and response in one."""

    def __init__(self) -> None:
        self.info, self.answered = HeaderRequest(), Answered()


register_request(Both, lambda both: both.info)
register_response(Both, lambda both: both.answered)


def test_what_is_registered_as_both_is_either_where_it_is_wanted() -> None:
    scene, both = Scene(), Both()
    scene.store.create_session(both, both, ALICE)
    assert scene.store.get_session(both) == ALICE
    assert [name for name, _ in both.answered.fields] == ["Set-Cookie", "Vary", "Cache-Control"]


def test_a_call_of_another_form_lists_the_valid_ones() -> None:
    scene = Scene()
    with pytest.raises(
        TypeError, match=r"the session is missing.*update_session\(request, session\)"
    ):
        verbs.update_session(served(scene))
