"""What the doctor's tests share."""

import os
from collections.abc import Iterator

import pytest

from tests.doctor.stage import Authority, Stage, trusted


@pytest.fixture
def stage(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Stage:
    """A folder for a configuration; no variable of this machine reaches the doctor."""
    for name in list(os.environ):
        if (
            name.upper().startswith(("AZURE_", "VOICE_LIVE_", "GATEWAY_", "TELNYX_", "TWILIO_"))
            or "PROXY" in name.upper()
        ):
            monkeypatch.delenv(name)
    return Stage(tmp_path_factory.mktemp("configuration"), monkeypatch, capsys)


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """A certificate authority that this process trusts."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    with trusted(made):
        yield made
