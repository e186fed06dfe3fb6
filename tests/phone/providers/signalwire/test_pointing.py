"""The requests that point a number of SignalWire, and what comes of the API's answers."""

from gateway.config.providers import SignalWire
from tests.phone.pointed import COMPATIBLE, KEY, everything, recorded

SECTION = SignalWire(project_id="P1", api_token=KEY, api_url="https://space.example.com")


def test_a_number_is_pointed_by_these_requests() -> None:
    """And what is there already, such as other capabilities of an application, is kept."""
    assert everything("signalwire", SECTION, COMPATIBLE) == recorded(__file__)
