import pytest

from gateway.sim.emulator.history import Entry, History
from gateway.sim.emulator.record import Event, Rejected


def message(item_id: str, role: str) -> Event:
    """An item."""
    return {"id": item_id, "type": "message", "role": role, "content": []}


def spoken(native: bool = False, said: str = "one two three four", audio_ms: float = 4000) -> History:
    """A history with one caller's turn and one reply."""
    history = History(native=native)
    history.append(Entry(message("item_u", "user")))
    history.append(Entry(message("msg_a", "assistant"), first_delta_at=100))
    history.entries[1].spoke(said, audio_ms)
    return history


def test_a_native_engine_names_the_last_item() -> None:
    """The next turn follows the assistant's item; the first item follows null."""
    assert History(native=True).previous_of_speech() is None
    assert History(native=True).previous_of_output() is None
    assert spoken(native=True).previous_of_speech() == "msg_a"


def test_a_cascaded_engine_skips_the_assistant() -> None:
    """The next turn follows the caller's last one; a client's first item and its answer follow an empty string."""
    assert spoken().previous_of_speech() == "item_u"
    history = History(native=False)
    assert history.previous_of_client_item() == ""
    history.add(message("item_c", "user"), from_client=True)
    assert history.previous_of_output() == ""


def test_truncation_keeps_whole_words_in_proportion() -> None:
    """Half of the audio leaves half of the words, and never a piece of one."""
    history = spoken()
    history.truncate("msg_a", 0, 2000)
    assert history.items[1]["content"][0]["transcript"] == "one two"
    assert history.entries[1].audio_ms == 2000
    history.truncate("msg_a", 0, 0)
    assert history.items[1]["content"][0]["transcript"] == ""


def test_truncation_at_the_very_end_keeps_everything() -> None:
    """The item's whole length is within range."""
    history = spoken()
    history.truncate("msg_a", 0, 4000)
    assert history.items[1]["content"][0]["transcript"] == "one two three four"


@pytest.mark.parametrize(
    ("item_id", "index", "end_ms", "code"),
    [
        ("msg_x", 0, 100, "item_truncate_invalid_item_id"),
        ("item_u", 0, 100, "unsupported_content_type"),
        ("msg_a", 1, 100, "invalid_value"),
        ("msg_a", 0, 4001, "invalid_value"),
        ("msg_a", 0, -1, "invalid_value"),
        ("msg_a", 0, 12.5, "invalid_value"),
        ("msg_a", 0, None, "invalid_value"),
    ],
)
def test_what_cannot_be_truncated(item_id: str, index: int, end_ms: object, code: str) -> None:
    """Each wrong truncate has its error, and leaves the item."""
    history = spoken()
    with pytest.raises(Rejected) as caught:
        history.truncate(item_id, index, end_ms)
    assert (caught.value.code, caught.value.harmless) == (code, False)
    assert history.entries[1].audio_ms == 4000


def test_the_service_truncates_at_wall_clock() -> None:
    """Auto truncation takes playback to begin with the first delta; a client's own comes too late, harmlessly."""
    history = spoken()
    assert history.auto_truncate(now=101.5) == ("msg_a", 1500)
    with pytest.raises(Rejected) as caught:
        history.truncate("msg_a", 0, 100)
    assert (caught.value.code, caught.value.harmless) == ("item_already_truncated", True)
    assert spoken().auto_truncate(now=104.0) is None


def test_audio_that_comes_late_does_not_undo_a_truncation() -> None:
    """Deltas behind a truncate change neither length nor transcript."""
    history = spoken()
    history.truncate("msg_a", 0, 1000)
    history.entries[1].spoke("one two three four five", 5000)
    assert (history.items[1]["content"][0]["transcript"], history.entries[1].audio_ms) == ("one", 1000)


def test_items_by_id() -> None:
    """Items are put behind others, retrieved and deleted by id; unknown ids have their errors."""
    history = spoken()
    history.add(message("item_s", "system"), after="root")
    assert [item["id"] for item in history.items] == ["item_s", "item_u", "msg_a"]
    assert history.retrieve("item_u")["role"] == "user"
    history.delete("item_u")
    for wrong in (lambda: history.retrieve("item_u"), lambda: history.delete("item_u")):
        with pytest.raises(Rejected, match="does not exist"):
            wrong()
    with pytest.raises(Rejected, match="already exists"):
        history.add(message("msg_a", "assistant"))
    with pytest.raises(Rejected, match="does not exist"):
        history.add(message("item_n", "user"), after="item_u")
