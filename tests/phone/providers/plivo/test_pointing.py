"""The requests that point a number of Plivo, and what comes of the API's answers."""

from gateway.config.providers import Plivo
from tests.phone.pointed import KEY, OLD, OLD_FALLBACK, Answers, everything, recorded

SECTION = Plivo(auth_id="MA1", auth_token=KEY)
APPLICATION = "/v1/Account/MA1/Application/1/"
ANSWERS: Answers = {
    "known": [
        {"application": APPLICATION},
        {"app_name": "Desk", "answer_url": OLD, "fallback_answer_url": OLD_FALLBACK},
    ],
    "bare": [{"application": APPLICATION}, {}],
    "unassigned": [{"application": None}],
    "no JSON object": ["text"],
}


def test_a_number_is_pointed_by_these_requests() -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything("plivo", SECTION, ANSWERS) == recorded(__file__)
