"""What is a call's id, and whose word for it counts."""

import pytest

from gateway.errors import WireError
from gateway.phone.shared.call_id import LONGEST, call_of, checked, is_call_id

PLACES = ["..", ".", "...", "a@..", "..@b", "a@%2e%2e", "a/../b", "a/b", "a\\b", "..;a/b", "%2e%2e", "%2E%2E%2f"]
NONE = [*PLACES, " ", "a b", "a\nb", "é", "\x7f", "-", "…"]


def test_ids_of_all_providers_are_ids() -> None:
    """As the documents show them."""
    for call_id in (
        "CA" + "0" * 32,
        "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg",
        "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg@3e6f995f-85f7-4705-9741-53b116d28237",
        "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        "c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85",
        "1761245643.1",
        "7",
        "x" * LONGEST,
    ):
        assert is_call_id(call_id)
    assert is_call_id("WebSocket/gw/0x7f1c", slashes=True)
    assert not is_call_id("WebSocket/../0x7f1c", slashes=True)


@pytest.mark.parametrize("text", [*NONE, "", "x" * (LONGEST + 1)])
def test_what_is_no_id_is_refused(text: str) -> None:
    """It would leave its place in an address, or break a line of the log; what is said of it is short."""
    assert not is_call_id(text)
    with pytest.raises(WireError) as caught:
        checked(text)
    assert len(str(caught.value)) < 200


def test_the_answered_call_counts() -> None:
    """A start may leave it out and spell it in other letters, and may not contradict it."""
    assert call_of("CA1", "CA1") == call_of("CA1", "ca1") == call_of("CA1", "") == "CA1"
    assert (call_of("", "CA2"), call_of("", "")) == ("CA2", "")
    for other in ("CA2", "CA", "CA11", "CA10", "A1", "xCA1"):
        with pytest.raises(WireError, match="another call"):
            call_of("CA1", other)
    for at in range(34):  # as long as Twilio's
        granted = "CA" + 32 * "0"
        with pytest.raises(WireError, match="another call"):
            call_of(granted, granted[:at] + "f" + granted[at + 1 :])
