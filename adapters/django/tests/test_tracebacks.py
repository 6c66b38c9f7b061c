"""A secret that is refused is in no frame of ours, nor in that of its cause."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from tracebacks import frames_of_ours, held

from sessionkit_django.config import gateway

CANARY = "canary-secret"


@pytest.mark.parametrize("given", [{"SECRET_KEY": CANARY}, {"SESSIONKIT": {"secret": CANARY}}])
def test_a_secret_that_is_refused_is_in_no_frame(given):
    with override_settings(**given), pytest.raises(ImproperlyConfigured, match="secret") as raised:
        gateway()
    assert held(raised.value, CANARY) == []
    assert frames_of_ours(raised.value) > 1
