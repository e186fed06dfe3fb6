"""Figures of a call, from made-up audio."""

import numpy as np

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.report.turns import BargeIn, Latency
from gateway.sim.caller.measures import is_audible, measure
from gateway.sim.caller.recording import Span


def bot(*spans_ms: tuple[int, int], length_ms: int = 10_000) -> bytes:
    """The bot's channel: a tone in these spans."""
    samples = np.zeros(length_ms * 8)
    for start, end in spans_ms:
        samples[start * 8 : end * 8] = np.sin(np.arange((end - start) * 8) * 0.3) * 5_000
    return g711.encode(samples.astype(np.int16), PCMU)


def test_answers_are_measured_from_the_end_of_speech_to_the_first_sound() -> None:
    """The greeting answers nobody; the pause between two sentences is part of a turn."""
    measures = measure(
        bot((200, 1_000), (3_500, 4_500), (4_800, 5_500), (8_000, 9_000)),
        PCMU,
        [Span(2_000, 2_600), Span(6_000, 7_100)],
        [],
    )
    assert measures.greeting_ms == 200
    assert measures.bot == (Span(200, 1_000), Span(3_500, 5_500), Span(8_000, 9_000))
    assert measures.latencies == (Latency(2_600, 900), Latency(7_100, 900))
    assert measures.barge_ins == ()


def test_a_second_turn_without_new_speech_is_no_answer() -> None:
    """Are you still there? -- that is not a latency."""
    measures = measure(bot((3_000, 4_000), (8_000, 9_000)), PCMU, [Span(1_000, 2_000)], [])
    assert measures.latencies == (Latency(2_000, 1_000),)
    assert measures.greeting_ms is None


def test_a_turn_that_begins_while_the_caller_speaks_has_no_latency() -> None:
    """It may answer what was said before, or be too early."""
    assert measure(bot((1_500, 4_000)), PCMU, [Span(1_000, 2_000)], []).latencies == ()


def test_a_barge_in_is_measured_from_the_first_word_to_the_last_sound() -> None:
    """The clear ends the bot's turn even where the next one follows at once."""
    measures = measure(bot((1_000, 3_120), (3_400, 5_000)), PCMU, [Span(3_000, 3_300)], [3_115])
    assert measures.bot == (Span(1_000, 3_120), Span(3_400, 5_000))
    assert measures.barge_ins == (BargeIn(3_000, 120),)
    assert measures.latencies == (Latency(3_300, 100),)


def test_sound_that_goes_on_after_the_clear_counts_until_its_end() -> None:
    """A clear that does not silence the bot is no proof that it fell silent."""
    measures = measure(bot((1_000, 4_000)), PCMU, [Span(2_000, 3_000)], [2_100])
    assert measures.barge_ins == (BargeIn(2_000, 2_000),)
    stale = measure(bot((1_000, 2_120), (2_300, 2_700)), PCMU, [Span(2_000, 3_000)], [2_115])
    assert stale.barge_ins == (BargeIn(2_000, 700),)


def test_what_follows_the_caller_s_words_is_an_answer_to_them() -> None:
    """The next reply does not lengthen the barge-in, nor does one after a real pause within the caller's words."""
    quick = measure(bot((1_000, 2_120), (2_500, 4_000)), PCMU, [Span(2_000, 2_400)], [2_115])
    assert quick.barge_ins == (BargeIn(2_000, 120),)
    later = measure(bot((1_000, 2_120), (2_800, 4_000)), PCMU, [Span(2_000, 3_000)], [2_115])
    assert later.barge_ins == (BargeIn(2_000, 120),)


def test_a_bot_that_speaks_on_was_not_stopped() -> None:
    """No clear: the barge-in is told, and that it did nothing."""
    assert measure(bot((1_000, 4_000)), PCMU, [Span(2_000, 2_500)], []).barge_ins == (BargeIn(2_000, None),)


def test_a_clear_before_the_call_s_end_or_after_it_is_harmless() -> None:
    """Times beyond the audio are of the call's last frame."""
    assert measure(bot((1_000, 2_000)), PCMU, [], [0, 99_999]).bot == (Span(1_000, 2_000),)
    assert measure(b"", PCMU, [], [100]).bot == ()


def test_a_quick_exchange_is_two_turns() -> None:
    """A caller who speaks in the bot's pause ends its turn, however short the pause."""
    measures = measure(bot((1_000, 2_000), (2_500, 3_000)), PCMU, [Span(2_060, 2_300)], [])
    assert measures.bot == (Span(1_000, 2_000), Span(2_500, 3_000))
    assert measures.latencies == (Latency(2_300, 200),)


def test_silence_and_faint_noise_are_not_heard() -> None:
    """Speech synthesis begins with near-silence; it would flatter the latency."""
    faint = np.tile(np.array([20, -20], np.int16), 80)
    assert not is_audible(g711.encode(faint, PCMU), PCMU)
    assert not is_audible(PCMU.silence(20), PCMU)
    assert is_audible(g711.encode(faint * 10, PCMU), PCMU)


def test_an_answer_to_keys_counts_from_the_last_of_them() -> None:
    """How long the caller keyed says nothing about the bot; an answer to words stays one, keys before it or not."""
    measures = measure(
        bot((3_000, 3_500), (6_500, 7_000), (9_400, 9_900)),
        PCMU,
        [Span(1_000, 2_000), Span(7_500, 9_000)],
        [],
        keys_ms=[500, 4_000, 5_000, 6_000, 7_200],
    )
    assert measures.latencies == (Latency(2_000, 1_000), Latency(9_000, 400))
    assert measures.keyed == (Latency(6_000, 500),)


def test_keys_behind_words_make_it_an_answer_to_keys() -> None:
    """The caller spoke, then keyed: the pause is the caller's."""
    measures = measure(bot((6_000, 7_000)), PCMU, [Span(1_000, 2_000)], [], keys_ms=[3_000, 5_200])
    assert (measures.latencies, measures.keyed) == ((), (Latency(5_200, 800),))
