"""Answers within a limit of output tokens (``max_response_output_tokens``)."""

from gateway.sim.emulator.function_calls import written
from gateway.sim.emulator.script import Answer, Call
from gateway.sim.emulator.speaking.usage import audio_tokens, text_tokens
from gateway.sim.emulator.speaking.words import TOKEN


def within(answer: Answer, audio_ms: float, limit: int) -> tuple[Answer, float]:
    """Return the answer with what ``limit`` tokens leave of it, and the share of its ``audio_ms`` that is left.

    Words are cut behind a whole one, together with their audio; a call that does not fit is not made.
    """
    text = answer.say or ""
    left = limit - text_tokens(text) - audio_tokens(audio_ms)
    if left < 0:
        kept = _fitting(text, audio_ms, limit)
        return Answer(say=kept, ending="max_output_tokens", silent=not kept), len(kept) / len(text)
    calls: list[Call] = []
    for call in answer.all_calls:
        left -= text_tokens(written(call.arguments))
        if left < 0:
            say = answer.say if calls or answer.say is not None else ""
            silent = not calls and answer.say is None
            return Answer(say=say, calls=calls, ending="max_output_tokens", silent=silent), 1.0
        calls.append(call)
    return answer, 1.0


def _fitting(text: str, audio_ms: float, limit: int) -> str:
    """Return the words of ``text`` that fit with their audio."""
    kept = ""
    for token in TOKEN.findall(text):
        longer = kept + token
        if text_tokens(longer) + audio_tokens(audio_ms * len(longer) / len(text)) > limit:
            break
        kept = longer
    return kept
