"""The requests that point a number of Telnyx, and what comes of the API's answers."""

from gateway.config.providers import Telnyx
from tests.phone.pointed import KEY, OLD, OLD_FALLBACK, Answers, everything, recorded

SECTION = Telnyx(api_key=KEY)
ANSWERS: Answers = {
    "known": [
        {"data": [{"connection_id": "1"}, {"connection_id": "2"}]},
        {"data": {"friendly_name": "Desk", "voice_url": OLD, "voice_fallback_url": OLD_FALLBACK}},
    ],
    "bare": [{"data": [{"connection_id": "1/2"}]}, {"data": None}],
    "none": [{"data": None}],
    "unassigned": [{"data": [{"connection_id": None}]}],
    "odd": [{"data": [[]]}],
    "no JSON object": [None],
}


def test_a_number_is_pointed_by_these_requests() -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything("telnyx", SECTION, ANSWERS) == recorded(__file__)
