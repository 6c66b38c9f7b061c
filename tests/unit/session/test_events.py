import logging

import pytest

from sessionkit import Absence, Event, EventKind, Ignored
from sessionkit._session.events import tell

WARNED = {
    EventKind.LATE_CHANGE,
    EventKind.DETACHED_CHANGE,
    EventKind.INSECURE,
    EventKind.NOT_RETURNED,
    EventKind.TWO_SESSIONS,
    EventKind.EXPIRED_UNSAVED,
    EventKind.MADE_ROOM,
    EventKind.UNANSWERED,
    EventKind.NOT_PRIVATE,
    EventKind.RENEWAL_FAILED,
}
NOTED = {EventKind.LATE_WRITE}


@pytest.mark.parametrize("kind", list(EventKind))
def test_what_a_programmer_must_mend_is_a_warning_and_what_a_visitor_causes_is_at_debug(
    kind, caplog
):
    caplog.set_level(logging.DEBUG, "sessionkit")
    tell(None, kind)
    level = logging.INFO if kind in NOTED else logging.DEBUG
    assert [logging.WARNING if kind in WARNED else level] == [
        record.levelno for record in caplog.records
    ]
    assert kind.value in caplog.text


def test_an_event_is_handed_on_with_its_reason(caplog):
    caplog.set_level(logging.DEBUG, "sessionkit")
    events = []
    tell(events.append, EventKind.REFUSED, Absence.BAD_TAG)
    tell(events.append, EventKind.UPDATE_IGNORED, Ignored.NO_USER)
    assert [
        Event(kind=EventKind.REFUSED, reason=Absence.BAD_TAG),
        Event(kind=EventKind.UPDATE_IGNORED, reason=Ignored.NO_USER),
    ] == events
    assert "(bad tag)" in caplog.text


def test_an_exception_in_the_callback_is_logged_and_swallowed(caplog):
    def on_event(event):
        raise RuntimeError("broken callback")

    tell(on_event, EventKind.REFUSED)
    assert "on_event raised" in caplog.text
    assert "broken callback" in caplog.text


def test_a_warning_says_what_to_do(caplog):
    tell(None, EventKind.INSECURE)
    tell(None, EventKind.LATE_CHANGE)
    assert "secure=False" in caplog.text
    assert "before the response's headers go out" in caplog.text
