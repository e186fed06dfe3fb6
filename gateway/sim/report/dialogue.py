"""A call as a dialogue: the sounds that the phone heard, joined with the words that only the gateway knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.report.turns import Turn
from gateway.sim.caller.call import CallResult
from gateway.sim.caller.measures import Measures
from gateway.sim.caller.recording import Span
from gateway.sim.caller.timeline import TimelineEvent

_CATCH_MS = 500
"""A reply is heard at most this long after the gateway says that it began; beyond that the gateway's time is shown."""


def dialogue(result: CallResult, notes: Sequence[TimelineEvent]) -> tuple[Turn, ...]:
    """Return the turns of both sides in the order of time.

    ``notes`` are the gateway's (``caller_said``, ``reply_started``, ``reply_said``, ``reply_heard``, ``barge_in``);
    without them the turns are those that were heard, without words.
    """
    turns = _caller_turns(result, notes) + (_replies(result, notes) or _heard_turns(result.measures.bot))
    turns.sort(key=lambda turn: turn.start_ms)
    return tuple(_with_figures(turn, result.measures) for turn in turns)


def _with_figures(turn: Turn, measures: Measures) -> Turn:
    if turn.speaker == "bot":
        after = (latency.ms for latency in measures.latencies if latency.at_ms + latency.ms == turn.start_ms)
        return replace(turn, answered_after_ms=next(after, None))
    over = (barge_in for barge_in in measures.barge_ins if turn.start_ms <= barge_in.at_ms < turn.end_ms)
    return replace(turn, barge_in=next(over, None))


def _at_ms(result: CallResult, event: TimelineEvent) -> int:
    return round((event.at - result.started_at) * 1000)


def _caller_turns(result: CallResult, notes: Sequence[TimelineEvent]) -> list[Turn]:
    """Return a turn for each recording; a transcript belongs to the one that had last begun."""
    words: dict[int, list[str]] = {}
    turns = []
    for note in notes:
        if note.kind != "caller_said":
            continue
        at_ms, text = _at_ms(result, note), str(note.fields.get("text", ""))
        begun = [index for index, spoken in enumerate(result.spoken) if spoken.start_ms <= at_ms]
        if begun:
            words.setdefault(begun[-1], []).append(text)
        else:
            turns.append(Turn("caller", max(at_ms, 0), max(at_ms, 0), text))
    for index, spoken in enumerate(result.spoken):
        start, end = spoken.start_ms, spoken.end_ms
        if spoken.speech:
            start, end = spoken.speech[0].start_ms, spoken.speech[-1].end_ms
        turns.append(Turn("caller", start, end, " ".join(words.get(index, [])), spoken.name))
    return turns


def _heard_turns(spans: Sequence[Span]) -> list[Turn]:
    return [Turn("bot", span.start_ms, span.end_ms) for span in spans]


@dataclass(frozen=True)
class _Account:
    """The gateway's figures for one reply."""

    heard_ms: int | None = None
    generated_ms: int | None = None
    interrupted: bool = False
    text: str = ""
    unheard: str = ""

    def words(self, generated: str) -> tuple[str, str]:
        """Return the words that were heard and those that were not, of a reply with this text.

        Where the gateway has not noted them they are those that time shows: cut in proportion, at the end of a word.
        """
        if self.text or self.unheard:
            return self.text, self.unheard
        if not self.interrupted or not self.generated_ms or self.heard_ms is None:
            return generated, ""
        share = round(len(generated) * min(1.0, self.heard_ms / self.generated_ms))
        end = len(generated) if share >= len(generated) else max(generated.rfind(" ", 0, share + 1), 0)
        return generated[:end], generated[end:].strip()


def _replies(result: CallResult, notes: Sequence[TimelineEvent]) -> list[Turn]:
    """Return a turn for each reply that the gateway began, placed where its sound was heard."""
    texts = {
        note.fields.get("item_id"): str(note.fields.get("text", "")) for note in notes if note.kind == "reply_said"
    }
    accounts = _accounts(notes)
    turns: list[Turn] = []
    free_ms = 0
    for note in notes:
        if note.kind != "reply_started":
            continue
        item_id = note.fields.get("item_id")
        account = accounts.get(item_id, _Account())
        begun_ms = max(_at_ms(result, note), free_ms)
        span = _span_at(result.measures.bot, begun_ms)
        start_ms = max(span.start_ms, free_ms) if span else begun_ms
        end_ms = start_ms + account.heard_ms if account.heard_ms is not None else span.end_ms if span else start_ms
        end_ms = min(end_ms, result.duration_ms)
        free_ms = end_ms
        text, unheard = account.words(texts.get(item_id, ""))
        turns.append(
            Turn(
                "bot",
                start_ms,
                end_ms,
                text,
                item_id=str(item_id),
                unheard=unheard,
                heard_ms=account.heard_ms,
                generated_ms=account.generated_ms,
                interrupted=account.interrupted,
            )
        )
    return turns


def _span_at(spans: Sequence[Span], at_ms: int) -> Span | None:
    """Return the turn of sound that begins near ``at_ms``, or in the middle of which it lies."""
    return next((span for span in spans if span.start_ms - _CATCH_MS <= at_ms < span.end_ms), None)


def _accounts(notes: Sequence[TimelineEvent]) -> dict[object, _Account]:
    accounts: dict[object, _Account] = {}
    for note in notes:
        if note.kind == "reply_heard":
            figures: Sequence[Mapping[str, object]] = [note.fields]
        elif note.kind == "barge_in":
            listed = note.fields.get("replies")
            figures = listed if isinstance(listed, list) else [note.fields]
        else:
            continue
        for figure in figures:
            known = accounts.get(figure.get("item_id"), _Account())
            heard_ms = _milliseconds(figure, "heard_ms", known.heard_ms)
            generated_ms = _milliseconds(figure, "generated_ms", known.generated_ms)
            generated_ms = _milliseconds(figure, "received_ms", _milliseconds(figure, "sent_ms", generated_ms))
            text, unheard = (str(figure.get(name) or getattr(known, name)) for name in ("text", "unheard"))
            cut = None not in (heard_ms, generated_ms) and (heard_ms or 0) < (generated_ms or 0)
            interrupted = note.kind == "barge_in" or cut
            accounts[figure.get("item_id")] = _Account(heard_ms, generated_ms, interrupted, text, unheard)
    return accounts


def _milliseconds(fields: Mapping[str, object], name: str, otherwise: int | None) -> int | None:
    value = fields.get(name)
    return round(value) if isinstance(value, int | float) else otherwise
