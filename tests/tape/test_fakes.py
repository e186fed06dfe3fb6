import re

import pytest

from gateway.tape.fakes import Fakes, is_fake, secret

FAKES = Fakes(b"key")
IDS = [
    "CA0123456789abcdef0123456789abcdef",
    "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    "32DE0DEA-53CB-4B21-89A4-9E1819C043BC",
    "sess_AbC12xyzzyAbC12xyzzy12",
    "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg",
    "c-2a913f94-7fa91773-a426-4118-8b8b-b691ab0a0ae1",
    "WebSocket/gw/0x7f1c",
    "MZ01",
    "7MDm_VeU3UYj55U1X-fSRqILAvCioRyClLyL02s",
    "5d:_b3ddc2027-0cfee0210-",
]


@pytest.mark.parametrize("text", IDS)
def test_an_id_keeps_its_form_and_loses_its_content(text: str) -> None:
    """Prefix, separators and kinds of characters stay; the same id has the same fake, which is known as one."""
    fake = FAKES.identifier(text)
    assert fake == FAKES.identifier(text)
    assert is_fake(fake)
    assert not is_fake(text)
    assert re.sub(r"\w", "", fake) == re.sub(r"\w", "", text)
    assert Fakes(b"another").identifier(text) != fake
    if len(text) > 8:
        assert len(fake) == len(text)


def test_a_prefix_tells_kinds_of_ids_apart() -> None:
    """A call's id begins as before."""
    assert FAKES.identifier(IDS[0]).startswith("CAfa4e")
    assert FAKES.identifier(IDS[3]).startswith("sess_fa4e")
    assert FAKES.identifier(IDS[2])[:4] == "FA4E"


def test_two_short_ids_stay_two() -> None:
    """There is room for a difference behind the mark."""
    assert FAKES.identifier("MZ01") != FAKES.identifier("MZ02")


def test_a_number_belongs_to_no_country() -> None:
    """As many digits, and the plus; in whatever way it is written."""
    assert re.fullmatch(r"\+999\d{8}", FAKES.number("+1 (415) 555-0123"))
    assert FAKES.number("+14155550123") == "+" + FAKES.number("14155550123")
    assert is_fake(FAKES.number("14155550123"))


def test_a_text_leaves_its_length_and_a_hash_of_this_tape() -> None:
    """Nobody can try out words against it: the key is not on the tape."""
    assert re.fullmatch(r"\$text 5 [0-9a-f]{8}", FAKES.text("hello"))
    assert FAKES.text("hello") != Fakes(b"another").text("hello")
    assert secret("hunter2") == "$secret 7"
    assert is_fake(FAKES.text("hello"))
    assert is_fake("$secret 7")
    assert is_fake(FAKES.host("secret.example.com"))
