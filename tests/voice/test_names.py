"""The table of the service's names in docs/voice-live.md, against those that the SDK has."""

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from azure.ai.voicelive import models
from azure.ai.voicelive.aio import VoiceLiveConnection, _patch, connect

from gateway.voice.wire import _READERS

PAGE = (Path(__file__).parents[2] / "docs" / "voice-live.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Every name of the service")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`([^`]+)`", SECTION))
RESOURCES = {
    "session": _patch.SessionResource,
    "response": _patch.ResponseResource,
    "input_audio_buffer": _patch.InputAudioBufferResource,
    "output_audio_buffer": _patch.OutputAudioBufferResource,
    "conversation.item": _patch.ConversationItemResource,
    "transcription_session": _patch.TranscriptionSessionResource,
}
VADS = (models.ServerVad, models.AzureSemanticVad, models.AzureSemanticVadMultilingual, models.AzureSemanticVadEn)


def members(kind: type) -> Iterator[str]:
    """The members that a model of the SDK has on the wire."""
    for base in kind.__mro__:
        yield from (name for name in inspect.get_annotations(base) if not name.startswith("_"))


def public(kind: type) -> list[str]:
    """The methods of a class of the SDK."""
    return [name for name in vars(kind) if not name.startswith("_")]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(list(inspect.signature(connect).parameters), id="options"),
        pytest.param([f"{name}.{one}" for name, kind in RESOURCES.items() for one in public(kind)], id="methods"),
        pytest.param(public(VoiceLiveConnection), id="connection"),
        pytest.param(list(members(models.RequestSession)), id="settings"),
        pytest.param([name for kind in VADS for name in members(kind)], id="turn detection"),
        pytest.param([one.value for one in models.ClientEventType], id="to the service"),
        pytest.param([one.value for one in models.ServerEventType], id="from the service"),
    ],
)
def test_every_name_of_the_sdk_is_in_the_table(names: Iterable[str]) -> None:
    """With the place where it is here, or with the reason why it is not."""
    assert names
    assert sorted(set(map(str, names)) - NAMED) == []


def test_what_is_read_is_not_called_unread() -> None:
    """A row that says "not read" names no event that the wire reads."""
    rows = [line for line in SECTION.splitlines() if line.startswith("| `") and "| not read" in line]
    unread = {name for row in rows for name in re.findall(r"`([^`]+)`", row.partition("| not read")[0])}
    assert unread
    assert unread & _READERS.keys() == set()
