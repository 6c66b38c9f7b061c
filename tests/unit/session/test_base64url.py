import base64
import binascii
import os

import pytest

from sessionkit import fast_json
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


@pytest.mark.parametrize("decode", [base64url.decode, fast_json().b64decode], ids=["json", "speed"])
@pytest.mark.parametrize("odd", [*"+/= \n\t\0%.~\\", "\x80", "\xff"])
def test_a_text_with_another_character_is_not_decoded(decode, odd):
    text, one = base64url.encode(b"\xfb\xef\xbe" * 2 + b"\xff\xfe"), odd.encode("latin-1")
    assert decode(text) == b"\xfb\xef\xbe" * 2 + b"\xff\xfe"
    for at in range(len(text)):
        with pytest.raises(ValueError, match=r"."):
            decode(text[:at] + one + text[at + 1 :])
        with pytest.raises(ValueError, match=r"."):
            decode(text[:at] + one + text[at:])


@pytest.mark.parametrize("decode", [base64url.decode, fast_json().b64decode], ids=["json", "speed"])
def test_a_text_that_is_not_canonical_is_not_decoded(decode):
    for text in base64url.NOT_CANONICAL:
        with pytest.raises(ValueError, match=r"."):
            decode(text)
    assert decode(b"") == b""


def test_the_decoder_of_python_3_10_is_as_strict_as_the_one_of_later_versions(monkeypatch):
    def tried(text):
        try:
            return base64url.decode(text)
        except ValueError:
            return None

    whole = b"aZ09-_8A"
    texts = [
        whole[:at] + bytes([one]) + whole[at + skip :]
        for at in range(9)
        for skip in (0, 1)
        for one in range(256)
    ]
    later = [tried(text) for text in texts]
    monkeypatch.setattr(base64url, "_LOOKS", True)
    monkeypatch.setattr(base64url, "_decode", binascii.a2b_base64)
    assert [tried(text) for text in texts] == later
    assert later.count(None) > 3000
    assert len(texts) - later.count(None) > 500
