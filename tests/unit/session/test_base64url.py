import base64
import os

import pytest

from sessionkit._session import base64url


@pytest.mark.parametrize("size", range(70))
def test_it_encodes_and_decodes_as_the_standard_says(size):
    data = os.urandom(size)
    assert base64.urlsafe_b64encode(data).rstrip(b"=") == base64url.encode(data)
    assert data == base64url.decode(base64url.encode(data))


def test_of_all_texts_of_one_to_three_characters_those_are_canonical_that_encode_what_they_decode_to():
    alphabet = [bytes([one]) for one in base64url.ALPHABET]
    texts = [
        *alphabet,
        *(a + b for a in alphabet for b in alphabet),
        *(b"A" + a + b for a in alphabet[::7] for b in alphabet),
    ]
    for text in texts:
        back = (
            None if len(text) % 4 == 1 else base64url.encode(base64.urlsafe_b64decode(text + b"=="))
        )
        assert (text == back) is base64url.is_canonical(text), text


def test_nothing_and_whole_groups_are_canonical():
    assert base64url.is_canonical(b"") is True
    assert base64url.is_canonical(b"____") is True


@pytest.mark.parametrize("odd", ["+", "/", "=", " ", "\n", "\t", "\0", "%", "é"])
def test_a_token_has_nothing_but_the_alphabet_and_dots(odd):
    assert base64url.is_token(b"aZ09-_..") is True
    assert base64url.is_token(b"aZ09" + odd.encode() + b"-_") is False
