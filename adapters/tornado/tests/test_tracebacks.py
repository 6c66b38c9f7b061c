"""A secret that is refused is in no frame of ours."""

import pytest
from tornado.web import Application
from tracebacks import frames_of_ours, held

from sessionkit import ConfigurationError
from sessionkit_tornado.config import gateway_of

CANARY = "canary-secret"


@pytest.mark.parametrize(
    "given", [{"cookie_secret": CANARY}, {"cookie_secret": {1: CANARY}, "key_version": 2}]
)
def test_a_secret_that_is_refused_is_in_no_frame(given):
    with pytest.raises(ConfigurationError) as raised:
        gateway_of(Application([], **given))
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 0
