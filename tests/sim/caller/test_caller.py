"""When the simulated caller speaks, told frame by frame on a made-up clock."""

from collections.abc import Sequence

from gateway.audio.formats import PCMU
from gateway.sim.caller.caller import Caller, HangUp, Patience, PressKey, Speak, Utterance
from gateway.sim.caller.keys import Press
from gateway.sim.caller.recording import Recording, Span

PATIENCE = Patience(greeting_s=8, reply_s=20, turn_gap_s=0.7)


def says(
    name: str, duration_ms: int = 1_000, *, speech_ends_ms: int = 0, interrupt_after_ms: int | None = None
) -> Utterance:
    """An utterance of one second, speech throughout unless it ends earlier."""
    speech = (Span(0, speech_ends_ms or duration_ms),)
    return Utterance(Recording(name, bytes(duration_ms * 8), PCMU, speech), interrupt_after_ms)


def told(caller: Caller, bot: Sequence[tuple[int, int]], until_ms: int, *, quiet_ms: int = 0) -> list[tuple[int, str]]:
    """What the caller does while the bot plays in these spans; the first ``quiet_ms`` of each are silence."""
    story = []
    for now_ms in range(0, until_ms, 20):
        span = next(((start, end) for start, end in bot if start <= now_ms < end), None)
        audible = span is not None and now_ms >= span[0] + quiet_ms
        match caller.hear(now_ms, playing=span is not None, audible=audible):
            case Speak(utterance, note):
                story.append((now_ms, f"says {utterance.recording.name}{note and f' ({note})'}"))
            case PressKey(digit, note):
                story.append((now_ms, f"presses {digit}{note and f' ({note})'}"))
            case HangUp(reason, note):
                story.append((now_ms, f"hangs up: {reason}{note and f' ({note})'}"))
                break
            case None:
                pass
    return story


def test_the_caller_speaks_in_turn_and_hangs_up_after_the_last() -> None:
    """Each turn of the bot is heard to its end and 700 ms of silence behind it."""
    caller = Caller([says("a"), says("b")], patience=PATIENCE)
    assert told(caller, [(200, 2_000), (4_500, 6_000), (8_500, 9_000)], 30_000) == [
        (2_680, "says a"),
        (6_680, "says b"),
        (9_680, "hangs up: the caller said everything"),
    ]


def test_a_pause_of_the_bot_is_not_the_end_of_its_turn() -> None:
    """Sentences come in pieces; a gap below 700 ms does not count."""
    caller = Caller([says("a")], patience=PATIENCE)
    assert told(caller, [(0, 1_000), (1_600, 2_600)], 4_000) == [(3_280, "says a")]


def test_without_a_greeting_the_caller_speaks_first() -> None:
    """After eight seconds, and it is noted."""
    caller = Caller([says("a")], patience=PATIENCE)
    assert told(caller, [], 10_000) == [(8_000, "says a (no greeting within 8 s)")]


def test_without_a_reply_the_caller_goes_on() -> None:
    """Twenty seconds after the end of what was said; after the last utterance that means hanging up."""
    caller = Caller([says("a"), says("b")], patience=PATIENCE)
    assert told(caller, [(0, 1_000)], 60_000) == [
        (1_680, "says a"),
        (22_680, "says b (no reply within 20 s)"),
        (43_680, "hangs up: the caller said everything (no reply within 20 s)"),
    ]


def test_an_interruption_counts_from_when_the_bot_became_audible() -> None:
    """Silence at the head of a reply is not heard as its beginning."""
    caller = Caller([says("a"), says("b", interrupt_after_ms=500)], patience=PATIENCE)
    story = told(caller, [(0, 1_000), (4_000, 9_000)], 9_000, quiet_ms=300)
    assert story == [(1_680, "says a"), (4_800, "says b")]


def test_the_greeting_can_be_interrupted() -> None:
    """The first utterance may cut in, too."""
    caller = Caller([says("a", interrupt_after_ms=0)], patience=PATIENCE)
    assert told(caller, [(400, 5_000)], 3_000) == [(400, "says a")]


def test_a_reply_shorter_than_the_interruption_is_heard_to_its_end() -> None:
    """The caller then speaks in turn."""
    caller = Caller([says("a", interrupt_after_ms=5_000)], patience=PATIENCE)
    assert told(caller, [(0, 1_000)], 3_000) == [(1_680, "says a")]


def test_what_the_bot_says_while_the_caller_speaks_is_no_answer() -> None:
    """The rest of an interrupted reply, and a reply into a pause of the recording, are not waited on."""
    caller = Caller([says("a", 3_000, interrupt_after_ms=200), says("b")], patience=PATIENCE)
    story = told(caller, [(0, 500), (1_000, 2_000), (5_000, 6_000)], 8_000)
    assert story == [(200, "says a"), (6_680, "says b")]


def test_an_answer_over_the_silent_end_of_a_recording_counts() -> None:
    """A recording of ten seconds may hold two of speech; the caller still plays it to its end before the next."""
    caller = Caller([says("a", 10_000, speech_ends_ms=2_000, interrupt_after_ms=0), says("b")], patience=PATIENCE)
    assert told(caller, [(0, 20), (3_000, 5_000)], 30_000) == [(0, "says a"), (10_000, "says b")]


def test_the_gateway_may_be_given_the_last_word() -> None:
    """The caller waits for the call to be ended, and only then loses patience."""
    caller = Caller([says("bye")], patience=PATIENCE, hang_up_by="gateway")
    assert told(caller, [(0, 1_000), (3_000, 4_000)], 60_000) == [
        (1_680, "says bye"),
        (24_680, "hangs up: the caller said everything (no hang-up within 20 s)"),
    ]


def test_a_caller_with_nothing_to_say_listens_to_the_greeting() -> None:
    """And hangs up."""
    assert told(Caller([], patience=PATIENCE), [(0, 1_000)], 3_000) == [(1_680, "hangs up: the caller said everything")]


def test_a_recording_without_speech_is_told() -> None:
    """Or one would wonder why nobody answers."""
    silent = Utterance(Recording("silent", bytes(8_000), PCMU, ()))
    assert told(Caller([silent], patience=PATIENCE), [(0, 500)], 1_500)[0] == (
        1_180,
        "says silent (there is no speech in silent)",
    )


def test_keys_without_a_time_are_turns_behind_all_recordings() -> None:
    """One key every 250 ms; each group waits until the bot's turn is over, like a recording."""
    caller = Caller([says("a")], presses=[Press("12"), Press("#")], patience=PATIENCE)
    assert told(caller, [(0, 1_000), (4_000, 5_000), (7_000, 8_000), (9_500, 9_900)], 20_000) == [
        (1_680, "says a"),
        (5_680, "presses 1"),
        (5_940, "presses 2"),
        (8_680, "presses #"),
        (10_580, "hangs up: the caller said everything"),
    ]


def test_keys_with_a_time_come_then_whatever_goes_on() -> None:
    """Over the bot, over a recording, and before any greeting."""
    presses = [Press("34", 2_000), Press("5", 100)]
    caller = Caller([says("a", 2_000)], presses=presses, patience=PATIENCE)
    assert told(caller, [(500, 1_000), (4_500, 5_000)], 20_000) == [
        (100, "presses 5"),
        (1_680, "says a"),
        (2_000, "presses 3"),
        (2_260, "presses 4"),
        (5_680, "hangs up: the caller said everything"),
    ]


def test_the_caller_stays_for_its_keys_and_for_what_the_bot_says_to_them() -> None:
    """Words that the bot had begun before the last key are no answer to it."""
    caller = Caller([], presses=[Press("1", 5_000)], patience=PATIENCE)
    assert told(caller, [(0, 1_000), (4_800, 6_000), (9_000, 9_500)], 20_000) == [
        (5_000, "presses 1"),
        (10_180, "hangs up: the caller said everything"),
    ]


def test_keys_that_nobody_answers_are_waited_on_for_as_long_as_a_recording() -> None:
    """Twenty seconds, from the end of what the bot was saying."""
    caller = Caller([], presses=[Press("1", 500)], patience=PATIENCE)
    assert told(caller, [(0, 1_000)], 30_000) == [
        (500, "presses 1"),
        (20_980, "hangs up: the caller said everything (no reply within 20 s)"),
    ]


def test_without_a_greeting_keys_are_pressed_all_the_same() -> None:
    """After eight seconds, and it is noted."""
    caller = Caller([], presses=[Press("1")], patience=PATIENCE)
    assert told(caller, [], 9_000) == [(8_000, "presses 1 (no greeting within 8 s)")]


def test_keys_that_are_being_pressed_are_not_mixed_with_others() -> None:
    """A group whose time has come waits for the last key of the one before."""
    caller = Caller([], presses=[Press("12", 1_000), Press("9", 1_100)], patience=PATIENCE)
    assert told(caller, [(0, 3_000)], 3_000) == [
        (1_000, "presses 1"),
        (1_260, "presses 2"),
        (1_520, "presses 9"),
    ]
