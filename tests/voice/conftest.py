"""What the tests of the voice leg share."""

import wave
from pathlib import Path

import pytest

from tests.voice.credential import FakeCredential


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> list[FakeCredential]:
    """What was made of ``DefaultAzureCredential``."""
    FakeCredential.made = []
    FakeCredential.failure = None
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", FakeCredential)
    return FakeCredential.made


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A second of silence in a WAV file."""
    path = tmp_path / "welcome.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    return path


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait before a connection is tried again."""
    monkeypatch.setattr("gateway.voice.opening.RETRY_S", (0.0, 0.0))
