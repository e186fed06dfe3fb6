"""The parts of the kit that are its own: see ``tests/conformance/own.py``."""

from collections.abc import Mapping

from gateway.sim.providers import acs as simulated
from tests.phone.providers.acs.test_provider import INCOMING


def sign(secrets: Mapping[str, str], url: str, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, as the simulated end signs it."""
    return {"Authorization": simulated.token(secrets["resource_id"], 300)}


ANNOUNCED = (
    INCOMING,
    {"eventType", "data", "data.incomingCallContext"},
)
"""A call announced by JSON, and the places that it needs."""
ENDED = (
    {"type": "Microsoft.Communication.CallDisconnected", "id": "1", "data": {"callConnectionId": "c", "x": "y"}},
    {"type", "data", "data.callConnectionId"},
)
"""A callback that a call has ended, and the places that it needs."""
