"""Names of recordings in a store."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.records.storing.names import file_stem, object_name

STARTED = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


def test_a_name_is_day_line_and_call() -> None:
    """The day is that of UTC, wherever the clock that was asked stands."""
    east = STARTED.astimezone(timezone(timedelta(hours=5)))
    assert object_name("0199-abc", "support", STARTED) == "2026/11/29/support/0199-abc.wav"
    assert object_name("0199-abc", "support", east) == "2026/11/29/support/0199-abc.wav"


@pytest.mark.parametrize("line", ["+14255550100", "support-1-425-555-0100", "14255550100", "0049_30_123456"])
def test_a_line_that_is_called_after_a_number_does_not_tell_it(line: str) -> None:
    """Its name is a digest, the same each time."""
    name = object_name("k", line, STARTED)
    assert name == object_name("k", line, STARTED)
    assert name.startswith("2026/11/29/line-")
    assert not any(piece in name for piece in ("555", "14255", "123456"))


@pytest.mark.parametrize("line", ["../../etc", "a/b", "söp port", ".hidden", "", "..", "support 24-7"])
def test_no_name_leaves_its_folder(line: str) -> None:
    """What a path or a URL could take for something else is replaced."""
    parts = object_name("k", line, STARTED).split("/")
    assert len(parts) == 5
    assert all(part and not part.startswith(".") and part.isascii() and " " not in part for part in parts)


def test_the_key_of_a_call_is_the_stem_of_its_files() -> None:
    """A key without one is a mistake of a program."""
    assert file_stem("0199-abc") == "0199-abc"
    assert "/" not in file_stem("../x")
    with pytest.raises(ValueError, match="expected the key of a call"):
        file_stem("/")
