"""What all simulated providers have in common."""

import pytest

from gateway.sim.phone.wire import SimCall, StreamOpening
from gateway.sim.providers import PROVIDERS


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_without_keys_says_so(name: str) -> None:
    """Whether a stream carries the caller's keys is declared as the wire does it."""
    provider = PROVIDERS[name]
    call = SimCall("+2", "+1", provider.new_call_id(), provider.new_stream_id(), provider.audio_formats[0])
    wire = provider.wire(call, StreamOpening("ws://gw/stream"))
    assert bool(wire.key("5")) is provider.keys
