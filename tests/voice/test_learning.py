"""What the negotiation of a session taught; its log and counts are tried in tests/voice/test_opening.py."""

from gateway.voice.bot import Agent, Model
from gateway.voice.learning import key_of
from gateway.voice.negotiation.memory import Key
from gateway.voice.proposals import Proposal
from gateway.voice.service import VoiceLive


def test_a_refusal_depends_on_endpoint_version_model_voice_and_format() -> None:
    """An agent is named with its project; a voice by its type alone."""
    service = VoiceLive("https://west.example", "key", api_version="2026-04-10")
    session = {"voice": {"type": "azure-standard", "name": "x"}, "output_audio_format": "g711_ulaw"}
    key = Key("https://west.example", "2026-04-10", "gpt-4.1", "azure-standard", "g711_ulaw")
    assert key_of(service, Proposal(Model("gpt-4.1"), session)) == key
    agent = key_of(service, Proposal(Agent("desk", "contoso"), {"voice": "alloy"}))
    assert agent == Key("https://west.example", "2026-04-10", "agent desk of contoso", "", "")
