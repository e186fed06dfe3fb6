"""The interruptions of a call: by the caller, by an echo of the bot, by noise. Pure."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from gateway.records.explain.events import Event, EventLog
from gateway.records.explain.speech import Reply, Turn
from gateway.report.explanation import Interruption

SHORT_MS = 400
"""Speech that is over so soon is hardly a word."""
ECHO_SHARE = 0.6
"""The share of the caller's words that must come from the bot for an echo."""
ECHO_RUN = 3
"""Words count as the bot's own where so many follow one another as the bot said them: callers take up single ones."""
NOT_YET_HEARD = 4
"""Words behind those that were heard may have been heard as well: how far a reply was heard is an estimate."""
SAME_MOMENT_MS = 50
_IGNORED = {
    "short": "speech shorter than barge_in.min_speech_ms",
    "protected": "speech within barge_in.protect_ms",
    "echo": "an echo, by barge_in.echo_gate",
}


def interruptions_in(log: EventLog, replies: Sequence[Reply], turns: Sequence[Turn]) -> list[Interruption]:
    """Return all interruptions, and the speech that was kept from interrupting, in the order of time."""
    transcribes = bool(log.all("caller_said"))
    by_id = {reply.item_id: reply for reply in replies}
    found = [
        _interruption(log, cut, by_id, turns, transcribes=transcribes)
        for cut in log.all("barge_in")
        if cut.fields.get("replies")
    ]
    for ignored in log.all("speech_ignored"):
        evidence = _IGNORED.get(ignored.text("reason"), ignored.text("reason"))
        found.append(Interruption(at_ms=round(ignored.at_ms), kind="ignored", evidence=evidence))
    return sorted(found, key=lambda one: one.at_ms)


def _interruption(
    log: EventLog, cut: Event, replies: Mapping[str, Reply], turns: Sequence[Turn], *, transcribes: bool
) -> Interruption:
    turn = next((turn for turn in reversed(turns) if turn.start_ms <= cut.at_ms + SAME_MOMENT_MS), None)
    keyed = any(abs(key.at_ms - cut.at_ms) <= SAME_MOMENT_MS for key in log.all("digit_pressed"))
    if keyed or turn is None:
        kind, evidence, speech_ms = ("key" if keyed else "unknown"), "a key" if keyed else "no speech is reported", None
    else:
        speech_ms = round(turn.end_ms - turn.start_ms)
        kind, evidence = _judged(turn, speech_ms, _words_of(cut, replies), transcribes=transcribes)
    return Interruption(
        at_ms=round(cut.at_ms),
        kind=kind,  # type: ignore[arg-type]  # of those here
        evidence=evidence,
        speech_ms=speech_ms,
        unheard_ms=_unheard_ms(cut),
    )


def _judged(turn: Turn, speech_ms: int, spoken: list[str], *, transcribes: bool) -> tuple[str, str]:
    words = _words(turn.words or "")
    if words:
        if _share(words, spoken) >= ECHO_SHARE:
            return "echo", "the caller's words are those that the bot was saying"
        return "true", "the caller said something else"
    if turn.is_masked:
        return "unknown", "the record keeps no words"
    if not transcribes:
        if speech_ms < SHORT_MS:
            return "noise", "too short for a word"
        return "unknown", "no turn of this call has a transcript"
    return "noise", "no words in it"


def _share(words: list[str], spoken: list[str]) -> float:
    """Return how much of the caller's words are runs of the bot's, in the same order."""
    matched = SequenceMatcher(None, words, spoken, autojunk=False).get_matching_blocks()
    return sum(block.size for block in matched if block.size >= ECHO_RUN) / len(words)


def _words_of(cut: Event, replies: Mapping[str, Reply]) -> list[str]:
    """Return the words of the replies that were cut short, as far as the caller may have heard them."""
    listed = cut.fields.get("replies")
    ids = [str(one.get("item_id")) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    found: list[str] = []
    for item_id in ids:
        if (reply := replies.get(item_id)) is not None:
            found += [*_words(reply.heard_words), *_words(reply.unheard_words)[:NOT_YET_HEARD]]
    return found


def _unheard_ms(cut: Event) -> int:
    listed = cut.fields.get("replies")
    cuts = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return sum(max(0, round(_number(one.get("received_ms")) - _number(one.get("heard_ms")))) for one in cuts)


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
