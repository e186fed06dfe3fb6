"""The requests that point a number of Vonage, and what comes of the API's answers."""

from gateway.config.providers import Vonage
from tests.phone.pointed import KEY, OLD, OLD_FALLBACK, Answers, everything, recorded

SECTION = Vonage(application_id="app", api_key="key", api_secret=KEY)
OWN = {"msisdn": "14255550100", "app_id": "app"}
CAPABILITIES = {
    "messages": {"webhooks": {}},
    "voice": {
        "region": "eu-west",
        "webhooks": {
            "answer_url": {"address": OLD, "http_method": "GET"},
            "fallback_answer_url": {"address": OLD_FALLBACK},
            "other": {"address": "https://other.example.com"},
        },
    },
}
ANSWERS: Answers = {
    "known": [{"numbers": [{"msisdn": "1"}, OWN]}, {"name": "Desk", "capabilities": CAPABILITIES}],
    "bare": [{"numbers": [OWN]}, {}],
    "none": [{"numbers": [{"msisdn": "4255550100", "app_id": "app"}]}],
    "nothing": [{}],
    "unassigned": [{"numbers": [OWN | {"app_id": "other"}]}],
    "odd": [{"numbers": [[]]}],
    "no JSON object": [1],
}


def test_a_number_is_pointed_by_these_requests() -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything("vonage", SECTION, ANSWERS) == recorded(__file__)
