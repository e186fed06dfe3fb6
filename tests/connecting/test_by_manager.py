"""What the SDK's private connection manager prepares for us; its connections are tested in tests/voice."""

from azure.core.credentials import AzureKeyCredential

from gateway.connecting.asked import Asked
from gateway.connecting.by_manager import Handshake


async def test_the_sdk_prepares_address_and_headers() -> None:
    """The model, the API version and the key, each where the service expects it; and the SDK is named."""
    handshake = Handshake(Asked("https://host", "2026-07-15", AzureKeyCredential("key"), {"a": "1"}, model="gpt-4.1"))
    assert handshake.url().startswith("wss://host/voice-live/realtime?api-version=2026-07-15&")
    assert "model=gpt-4.1" in handshake.url()
    assert "a=1" in handshake.url()
    headers = await handshake.headers()
    assert headers["api-key"] == "key"
    assert "voicelive" in headers["User-Agent"]
