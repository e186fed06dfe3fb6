from pathlib import Path

import pytest

from tests.tape.calls import TapedCall, taped_calls
from tests.virtual_time import in_virtual_time


@pytest.fixture(scope="session")
def twilio_call(tmp_path_factory: pytest.TempPathFactory) -> TapedCall:
    """A taped call at Twilio."""
    folder: Path = tmp_path_factory.mktemp("twilio")
    return in_virtual_time(lambda: taped_calls(folder, ["twilio"]))["twilio"]
