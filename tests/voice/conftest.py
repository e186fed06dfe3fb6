"""What the tests of the voice leg share."""

import pytest

from tests.voice.credential import FakeCredential


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> list[FakeCredential]:
    """What was made of ``DefaultAzureCredential``."""
    FakeCredential.made = []
    FakeCredential.failure = None
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", FakeCredential)
    return FakeCredential.made
