"""Seconds and sizes that the documents promise: what a document says is what the code does."""

import re
from pathlib import Path

from gateway.call import bad_messages, call, caller_clock, keypad, settings
from gateway.call.history import history
from gateway.call.recovery import attempts
from gateway.call.speaking import comfort, playback, responses, truncations
from gateway.call.tools import mcp, secret_entry, tools, waiting
from gateway.connecting import asked
from gateway.phone.events import Playout
from gateway.sockets.inlet import UNREAD_LIMIT
from gateway.sockets.message_socket import OUTBOX_LIMIT
from gateway.voice import opening

DOCS = Path(__file__).parents[2] / "docs"


def promised() -> list[tuple[str, str, float | None]]:
    """Return each sentence of a document with the value of the code that belongs into it."""
    line, playout = settings.CallSettings(), Playout()
    return [
        ("architecture", "What the caller says meanwhile is kept ({:g} s of it)", settings.CONNECT_BUFFER_S),
        ("privacy", "at most {:g} s of the caller while the session is being opened", settings.CONNECT_BUFFER_S),
        ("architecture", "the legs are closed, in at most {:g} s", call.CLOSE_LIMIT_S),
        ("architecture", "At most {} ms wait at the provider", playout.lead_ms),
        ("architecture", "the lead is topped up when it has shrunk by {} ms", playout.refill_ms),
        ("architecture", "a part of a {} ms frame waits for its rest", playout.frame_ms),
        ("architecture", "Once the next frame is {:g} ms late", 1000 * caller_clock.JITTER_S),
        ("architecture", "silence of the codec up to now, then every {:g} ms", 1000 * caller_clock.STEP_S),
        ("architecture", "of a burst after a pause only {:g} ms are passed on", 1000 * caller_clock.JITTER_S),
        ("architecture", "After {:g} s without any", line.stream_silence_limit_s / 2),
        ("architecture", "returns no marks: where marks come back as audio is played, {:g} s", playback.STALL_LIMIT_S),
        ("architecture", "the service hears silence in place of the caller", None),
        ("architecture", "stay in confidence for {:g} s", tools.LAST_KEYS_S),
        ("architecture", "and for {:g} s where the entry ended because nothing more came", tools.LATE_KEYS_S),
        ("architecture", "may let {:g} KiB pile up there", OUTBOX_LIMIT / 1024),
        ("architecture", "{:g} KiB of them wait, and then the peer does", UNREAD_LIMIT / 1024),
        ("architecture", "where it has not begun within {:g} ms, because it is asked", 1000 * responses.OWN_ANSWER_S),
        ("architecture", "of a reply that was heard for less than {:g} ms nothing is told", truncations.LEAST_MS),
        ("architecture", "within bounds: {} entries,", history.MOST_ENTRIES),
        ("architecture", "entries, {:,} characters", history.MOST_CHARS),
        ("operating", "failed, is empty, or did not come in {:g} s", mcp.TRANSCRIPT_LIMIT_S),
        ("operating", "or brought nothing for {:g} s, not even a pong", line.stream_silence_limit_s),
        ("operating", "no mark came back for {:g} s of audio", playback.STALL_LIMIT_S),
        ("operating", "{} messages in a minute that cannot be read", bad_messages.MALFORMED_LIMIT),
        ("operating", "more audio or keys than real time and {:g} s", caller_clock.AHEAD_LIMIT_S),
        ("configuration", "at most {} digits each", secret_entry.MOST_DIGITS),
        ("tools", "whoever is at the other end: 1 to {} of", tools._MOST_KEYS),
        ("operating", "{:g} ms after its end the words of `on_trouble`", 1000 * comfort.AFTER_S),
        ("operating", "is not spoken over for {:g} s", comfort.AFTER_SPEECH_S),
        ("operating", "is asked for within {:g} ms", 1000 * attempts.FIRST_WAIT_S),
        ("operating", "and after up to {:g} s at last", attempts.LONGEST_WAIT_S),
        ("operating", "after ten errors in ten seconds", None),
        ("operating", "the newest {:,} characters", line.seed_limit_chars),
        ("operating", "said meanwhile, the last {:g} s", settings.CONNECT_BUFFER_S),
    ]


def test_documents_say_what_the_code_does() -> None:
    """Each sentence stands in its document with the value of the code."""
    for document, sentence, value in promised():
        text = re.sub(r"\s+", " ", (DOCS / f"{document}.md").read_text("utf-8"))
        assert (sentence.format(value) if value is not None else sentence) in text, document


def test_seconds_that_documents_tell_in_words() -> None:
    """Ten seconds for a response that never speaks, one for a refused request, half a second of deafness."""
    text = re.sub(r"\s+", " ", (DOCS / "architecture.md").read_text("utf-8"))
    assert (
        "tried once more after ten seconds; a request that was refused, or that failed before a sound, after one"
        in text
    )
    assert (responses.ANSWER_LIMIT_S, responses.RETRY_AFTER_S) == (10, 1)
    assert "until the entry is over, and half a second longer" in text
    assert settings.SILENCED_TAIL_S == 0.5


def chosen() -> list[tuple[str, tuple[float, float]]]:
    """Return what each bound is now, and what it was chosen to be."""
    line, playout = settings.CallSettings(), Playout()
    return [
        ("a cancelled response is over, in seconds", (responses.CANCEL_LIMIT_S, 3)),
        ("a turn without an end is over, in seconds", (responses.SPEECH_LIMIT_S, 30)),
        ("a tool of a server is given up, in seconds", (mcp.RUN_LIMIT_S, 60)),
        ("an allowed tool that does not begin is given up, in seconds", (mcp.GRANTED_LIMIT_S, 10)),
        ("a question is put", (mcp.MOST_ASKS, 2)),
        ("a caller's word is awaited, in seconds", (settings.Approval(responses.ANSWER).timeout_s, 20)),
        ("the stream of a transferred call may stay, in seconds", (settings.TRANSFER_GRACE_S, 5)),
        ("last words may take, in seconds", (line.farewell_limit_s, 60)),
        ("a call may take, in seconds", (line.duration_limit_s, 3600)),
        ("digits wait for the next, in seconds", (settings.Digits().pause_s, 2)),
        ("words cover a wait after, in seconds", (settings.Waiting(responses.ANSWER).after_s, 1.5)),
        ("whether somebody still speaks is looked at, in seconds", (waiting.LOOK_AGAIN_S, 0.2)),
        ("keys make one message", (keypad.DIGITS_LIMIT, 64)),
        ("broken messages are counted, in seconds", (bad_messages.MALFORMED_WINDOW_S, 60)),
        ("odd messages are noted", (bad_messages.ODD_LIMIT, 20)),
        ("a lost mark is waited for, in seconds", (playback.MARK_GRACE_S, 2)),
        ("a phone without marks may be behind, in seconds", (playback.CLOCK_GRACE_S, 0.25)),
        ("a probe measures, in seconds", (playback.RTT_LIMIT_S, 0.5)),
        ("a pause is made up, in seconds", (caller_clock.FILL_LIMIT_S, 2)),
        ("behind a pause audio may be late, in seconds", (caller_clock.BURST_S, 1)),
        ("a key takes, in seconds", (caller_clock.KEY_S, 0.05)),
        ("a session is opened, in seconds", (opening.READY_TIMEOUT_S, 10)),
        ("the service is pinged, in seconds", (asked.HEARTBEAT_S, 9)),
        ("a session is closed, in seconds", (asked.CLOSE_TIMEOUT_S, 1)),
        ("a message of the service has, in bytes", (asked.MAX_MESSAGE, 4 * 1024 * 1024)),
        ("a phone is sent ahead, in milliseconds", (playout.lead_ms, 600)),
        ("the lead is topped up, in milliseconds", (playout.refill_ms, 200)),
        ("a frame has, in milliseconds", (playout.frame_ms, 20)),
    ]


def test_a_bound_is_what_it_was_chosen_to_be() -> None:
    """A bound that somebody changes is changed here too, with a reason in the commit."""
    for what, (is_now, was_chosen) in chosen():
        assert is_now == was_chosen, what


def test_digits_are_bounded_where_the_model_is_told() -> None:
    """The error that the model gets names the most that is dialled."""
    assert f"1 to {tools._MOST_KEYS} of" in tools.BAD_DIGITS
