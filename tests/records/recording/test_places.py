from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from gateway.call.record import CallIdentity
from gateway.config import Line
from gateway.records.recording.places import FolderAlone, Keeping
from gateway.records.storing.pending import Waiting

IDENTITY = CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0)
LINE = cast("Line", SimpleNamespace(name="support"))


def test_a_folder_alone_keeps_what_is_written(tmp_path: Path) -> None:
    """Nothing takes it anywhere."""
    places = FolderAlone(tmp_path)
    assert places.has_room
    with places.begin(Waiting("a", "support", datetime(2026, 11, 29, tzinfo=UTC))) as place:
        place.path.write_bytes(b"sound")
    places.ended()
    assert (tmp_path / "a.wav").read_bytes() == b"sound"


def test_a_recording_has_the_key_of_its_call_and_its_end() -> None:
    """As those say who keep records."""
    keeping = Keeping(
        FolderAlone(Path()), lambda identity: f"key of {identity.call_id}", until=lambda line, began: began
    )
    about = keeping.about(IDENTITY, LINE)
    assert (about.call_key, about.line, about.keep_until) == ("key of CA1", "support", about.started)
    assert datetime.now(UTC) - about.started < timedelta(minutes=5)


def test_without_records_it_has_a_key_of_its_own() -> None:
    """And stays until somebody removes it."""
    keeping = Keeping(FolderAlone(Path()))
    one, other = keeping.about(IDENTITY, LINE), keeping.about(IDENTITY, LINE)
    assert one.call_key != other.call_key
    assert one.keep_until is None
