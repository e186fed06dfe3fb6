"""The bench measures what it says: a small trial of the plain bridge, and the arithmetic under it."""

import math

import pytest

from bench import tags, trial
from bench.plain_bridge import session
from bench.trial import Spread
from bench.websocket import frame, frames_in, unmask


@pytest.mark.timeout(60)
def test_a_trial_of_the_plain_bridge_sees_every_call_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames arrive in both directions, unharmed and in order, and when the calls end so do their sessions."""
    monkeypatch.setattr(trial, "SETTLE_S", 0.2)
    result = trial.run("plain", calls=2, seconds=2.0)
    assert result.calls_failed == 0
    assert result.frames_sent > 0
    assert result.to_voice.count > 0
    assert result.to_phone.count > 0
    assert result.garbled == 0
    assert result.unexpected == {}
    assert result.sessions_left == 0
    assert result.cpu_percent > 0


def test_the_plain_bridge_asks_for_the_phones_own_codec() -> None:
    """The yardstick transcodes nothing, so that it is no straw man."""
    asked = session()
    assert asked["input_audio_format"] == asked["output_audio_format"] == "g711_ulaw"
    assert asked["turn_detection"]["type"] == "azure_semantic_vad"


def test_frames_are_found_whole_and_the_rest_is_kept() -> None:
    """RFC 6455 §5.2: three lengths of payload, and a frame of which the last byte is still to come."""
    payloads = [b"a" * 5, b"b" * 300, b"c" * 70_000]
    data = b"".join(frame(payload, masked=False) for payload in payloads)
    found, rest = frames_in(data + frame(b"d" * 9, masked=False)[:-1])
    assert [data[start:end] for _, _, start, end in found] == payloads
    assert rest == len(data)


def test_a_masked_payload_is_read() -> None:
    """RFC 6455 §5.7: the masked "Hello" of the examples."""
    data = bytes.fromhex("818537fa213d7f9f4d5158")
    (_, key, start, end), *_ = frames_in(data)[0]
    assert unmask(data, key, start, end) == b"Hello"


def test_a_caller_frame_is_known_by_its_first_twelve_characters() -> None:
    """What a phone sends is 160 bytes, of which the text names the call and the number."""
    text = tags.caller_text(7) + tags.NUMBERS[300] + tags.FILL_TEXT
    assert len(text) == tags.FRAME_CHARS
    assert tags.NUMBER_OF[text[8 : tags.TAG_CHARS]] == 300


def test_a_spread_is_by_nearest_rank() -> None:
    """The 99th percentile of 200 values is the 198th; of none there is none."""
    spread = Spread.of(n / 1000 for n in range(1, 201))
    assert (spread.p50, spread.p99, spread.worst, spread.count) == (100, 198, 200, 200)
    assert math.isnan(Spread.of([]).p99)
