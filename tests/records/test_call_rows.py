"""The rows of a call: what is in them, and when they come again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.call.settings import CallSettings, Digits, FunctionRule, Secret
from gateway.function import SecretDigits
from gateway.phone.events import DigitPressed
from gateway.records.call_rows import CallRows
from gateway.records.rows import CallRow, EventRow, KeyRow, Row, ToolCallRow, TransferRow, TurnRow, UsageRow
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplySaid,
    ResponseStarted,
    TurnCommitted,
)
from tests.story import Story

IDENTITY = CallIdentity("CA1", "twilio", "support", "+14155550100", "+14255550100", "g711_ulaw", 1000.0)
NINE = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)


def rows_of(*told: tuple[float, Note]) -> list[Row]:
    """The rows of notes, each made so many seconds after the start."""
    rows = CallRows(IDENTITY, NINE, key="k")
    return [row for at_s, note in told for row in rows.add(TimedNote(1000.0 + at_s, note))]


def last(rows: Sequence[Row], kind: type[Row]) -> list[Row]:
    """The rows of a table as they stand in the end."""
    return list({getattr(row, "n", 0): row for row in rows if type(row) is kind}.values())


def test_every_note_is_an_event() -> None:
    """With its name, its fields and its time to a tenth of a millisecond."""
    rows = rows_of((0.0, notes.CallStarted("a", "b", "3f")), (1.23456, notes.SilencePrompt(2)))
    assert last(rows, EventRow) == [
        EventRow(
            call_key="k",
            n=0,
            at_ms=0.0,
            kind="call_started",
            fields={"caller": "a", "called": "b", "generation": "3f", "line_error": ""},
        ),
        EventRow(call_key="k", n=1, at_ms=1234.6, kind="silence_prompt", fields={"count": 2}),
    ]


def test_a_call_goes_from_its_start_to_its_end() -> None:
    """It is there from the first note on, and comes again with the session and the end."""
    end = notes.CallEnded(
        EndReason.BOT_HUNG_UP, "bot", "", "twilio", 12.0, turns=2, session_s=11.6, caller_audio_s=11.9
    )
    rows = [
        row
        for row in rows_of((0.0, notes.CallStarted("a", "b", "3f")), (0.4, notes.SessionReady("s", "m")), (12.0, end))
        if isinstance(row, CallRow)
    ]
    assert [(row.state, row.model, row.ended) for row in rows] == [
        ("running", "", None),
        ("running", "m", None),
        ("ended", "m", NINE + timedelta(seconds=12)),
    ]
    assert (rows[0].caller, rows[0].line, rows[0].generation, rows[0].started) == (
        "+14155550100",
        "support",
        "3f",
        NINE,
    )
    assert (rows[2].reason, rows[2].by, rows[2].duration_s, rows[2].turns) == ("bot_hung_up", "bot", 12.0, 2)
    assert (rows[2].session_s, rows[2].caller_audio_s, rows[2].bot_audio_s) == (11.6, 11.9, 0.0)
    assert rows[2].answered == NINE + timedelta(milliseconds=400)


def test_a_later_session_replaces_the_first_and_keeps_when_the_call_was_answered() -> None:
    """The model is that of the last session."""
    recovered = notes.SessionRecovered("lost", 900, 1, 400, "s2", "m2", 3)
    rows = rows_of((0.4, notes.SessionReady("s", "m")), (5.0, recovered))
    call = rows[-1]
    assert isinstance(call, CallRow)
    assert (call.session_id, call.model, call.answered) == ("s2", "m2", NINE + timedelta(milliseconds=400))


def test_a_reply_that_is_heard_to_its_end() -> None:
    """Its words count as unheard until then: whoever reads them after a crash is not told that they were heard."""
    rows = rows_of(
        (1.0, notes.ReplyStarted("i", 640)),
        (1.1, notes.ReplySaid("i", "Good day.")),
        (2.5, notes.ReplyHeard("i", 1500, 1500, "Good day.")),
    )
    turns = [row for row in rows if isinstance(row, TurnRow)]
    assert [(turn.n, turn.words, turn.unheard, turn.ended_ms) for turn in turns] == [
        (0, "", "", None),
        (0, "", "Good day.", None),
        (0, "Good day.", "", 2500),
    ]
    assert turns[-1] == TurnRow(
        call_key="k",
        n=0,
        who="bot",
        item_id="i",
        started_ms=1000,
        ended_ms=2500,
        words="Good day.",
        latency_ms=640,
        heard_ms=1500,
        received_ms=1500,
    )


def test_a_reply_that_is_cut_short() -> None:
    """It keeps the words that were not heard, and is marked."""
    rows = rows_of(
        (1.0, notes.ReplyStarted("i", 640)),
        (1.1, notes.ReplySaid("i", "Good day to you.")),
        (1.8, notes.BargeIn([notes.CutReply("i", 800, 1500)], response_cancelled=True)),
        (1.8, notes.ReplyHeard("i", 800, 1500, "Good day", "to you.")),
    )
    (turn,) = last(rows, TurnRow)
    assert isinstance(turn, TurnRow)
    assert (turn.words, turn.unheard, turn.heard_ms, turn.interrupted) == ("Good day", "to you.", 800, True)


def test_a_reply_whose_words_come_after_it_was_heard() -> None:
    """They are its words if all of it was heard, else nobody knows which were."""
    whole = rows_of((1.0, notes.ReplyHeard("i", 900, 900)), (1.2, notes.ReplySaid("i", "Yes.")))
    cut = rows_of((1.0, notes.ReplyHeard("i", 300, 900)), (1.2, notes.ReplySaid("i", "Yes.")))
    assert [(turn.words, turn.unheard) for turn in last(whole, TurnRow) if isinstance(turn, TurnRow)] == [("Yes.", "")]
    assert [(turn.words, turn.unheard) for turn in last(cut, TurnRow) if isinstance(turn, TurnRow)] == [("", "Yes.")]


def test_a_recorded_greeting_is_a_reply() -> None:
    """Though the service never began it."""
    rows = rows_of((0.0, notes.GreetingPlayed("greeting")), (2.0, notes.ReplyHeard("greeting", 2000, 2000, "Welcome.")))
    (turn,) = last(rows, TurnRow)
    assert isinstance(turn, TurnRow)
    assert (turn.who, turn.started_ms, turn.ended_ms, turn.words) == ("bot", 0, 2000, "Welcome.")


def test_a_turn_of_the_caller_is_there_when_it_is_over() -> None:
    """With its times, and with its words once they have come; what a service never ends is no turn."""
    rows = rows_of(
        (1.0, notes.CallerSpoke("u", over_reply=False)),
        (2.5, notes.CallerPaused("u")),
        (2.9, notes.CallerSaid("u", "Yes.")),
        (4.0, notes.CallerSpoke("v", over_reply=False)),
    )
    found = [(turn.n, turn.started_ms, turn.ended_ms, turn.words) for turn in rows if isinstance(turn, TurnRow)]
    assert found == [(0, 1000, 2500, ""), (0, 1000, 2500, "Yes.")]


def test_words_that_come_before_the_end_of_their_turn() -> None:
    """They stay when the end comes."""
    (turn,) = last(rows_of((1.0, notes.CallerSaid("u", "Yes.")), (2.5, notes.CallerPaused("u"))), TurnRow)
    assert isinstance(turn, TurnRow)
    assert (turn.words, turn.ended_ms) == ("Yes.", 2500)


def test_the_tokens_of_a_response() -> None:
    """A row for each response; the call is priced anew with all that came so far."""
    seen: list[int] = []

    def priced(call: CallRow, usage: Sequence[UsageRow]) -> CallRow:
        seen.append(sum(row.output_audio for row in usage))
        return replace(call, cost_nanos=seen[-1], currency="USD")

    rows = CallRows(IDENTITY, NINE, key="k", priced=priced)
    made = []
    for at_s, response_id, spoken in ((1.0, "r1", 20), (2.0, "r2", 30)):
        note = notes.TokensUsed(response_id, "m", "openai", 10, 5, 0, 4, 0, 0, 7, spoken)
        made += rows.add(TimedNote(1000.0 + at_s, note))
    first, second = (row for row in made if isinstance(row, UsageRow))
    assert first == UsageRow(
        call_key="k",
        n=0,
        at_ms=1000,
        response_id="r1",
        model="m",
        voice="openai",
        input_text=10,
        input_audio=5,
        cached_text=4,
        output_text=7,
        output_audio=20,
    )
    assert (second.n, second.response_id) == (1, "r2")
    assert [row.cost_nanos for row in made if isinstance(row, CallRow)] == [20, 50] == seen


def test_the_words_of_the_caller() -> None:
    """A turn of their own, under the service's id of it."""
    (turn,) = last(rows_of((3.0, notes.CallerSaid("u", "Where is my order?"))), TurnRow)
    assert isinstance(turn, TurnRow)
    assert (turn.who, turn.item_id, turn.words, turn.unheard) == ("caller", "u", "Where is my order?", "")


def test_tools_of_both_kinds() -> None:
    """Each with its server, if it has one, and its times; what does not return has no outcome."""
    rows = rows_of(
        (1.0, notes.ToolCalled("status", "c1")),
        (1.1, notes.McpCalled("wiki", "search", "m1")),
        (1.2, notes.ToolCalled("slow", "c2")),
        (1.5, notes.ToolReturned("status", "c1", "ok", 500)),
        (1.9, notes.McpReturned("wiki", "search", "m1", "error", 800)),
        (2.0, notes.McpReturned("wiki", "search", "m1", "ok", 900)),
    )
    found = [
        (row.n, row.server, row.tool, row.outcome, row.started_ms, row.ended_ms, row.took_ms)
        for row in last(rows, ToolCallRow)
        if isinstance(row, ToolCallRow)
    ]
    assert found == [
        (0, "", "status", "ok", 1000, 1500, 500),
        (1, "wiki", "search", "error", 1100, 1900, 800),
        (2, "", "slow", "", 1200, None, None),
    ]


def test_a_tool_that_the_service_never_began() -> None:
    """It returns all the same, and began so long before."""
    (row,) = last(rows_of((9.0, notes.McpReturned("wiki", "search", "", "timeout", 8000))), ToolCallRow)
    assert isinstance(row, ToolCallRow)
    assert (row.server, row.outcome, row.started_ms, row.ended_ms) == ("wiki", "timeout", 1000, 9000)


def test_a_transfer_that_fails_and_one_that_is_taken() -> None:
    """Two rows, each with what came of it."""
    rows = rows_of(
        (1.0, notes.TransferStarted("desk")),
        (2.0, notes.TransferFailed("desk", "busy")),
        (3.0, notes.TransferStarted("desk")),
        (4.0, notes.Transferred("desk")),
    )
    found = [
        (row.n, row.outcome, row.ended_ms, row.detail)
        for row in last(rows, TransferRow)
        if isinstance(row, TransferRow)
    ]
    assert found == [(0, "failed", 2000, "busy"), (1, "transferred", 4000, "")]


def test_keys_that_are_not_secret() -> None:
    """Of a secret entry there is no note of a key, and so no row."""
    rows = rows_of(
        (1.0, notes.DigitPressed("3")),
        (2.0, notes.SecureEntryStarted("pay", "pin")),
        (9.0, notes.SecureEntryEnded("pay", "pin", "entered")),
    )
    assert last(rows, KeyRow) == [KeyRow(call_key="k", n=0, at_ms=1000, digit="3")]


def test_the_rows_of_a_call_have_a_new_key_each() -> None:
    """Unless one is given."""
    first, second = CallRows(IDENTITY, NINE), CallRows(IDENTITY, NINE)
    assert first.call.call_key != second.call.call_key


def test_a_record_knows_the_trace_of_its_call() -> None:
    """So that one leads to the other."""
    assert CallRows(replace(IDENTITY, trace_id="4bf9"), NINE, key="k").call.trace_id == "4bf9"


def rows_of_story(story: Story, since: int = 0) -> list[Row]:
    """The rows of a story's notes, a millisecond after one another."""
    return rows_of(*((n / 1000, note) for n, note in enumerate(story.notes[since:])))


def test_a_story_of_an_interruption() -> None:
    """The turns of the record are what the story let the caller hear and say."""
    story = Story()
    story.tell(ResponseStarted("r"))
    story.tell(ReplyAudio("r", "i", b"\x10" * 16_000))
    story.tell(ReplySaid("r", "i", "It is on its way to you since this morning."))
    story.listen(1.0)
    for event in (CallerSpoke("u"), CallerPaused("u"), TurnCommitted("u"), CallerSaid("u", "Stop.")):
        story.tell(event)
    bot, caller = (turn for turn in last(rows_of_story(story), TurnRow) if isinstance(turn, TurnRow))
    (heard,) = story.noted(notes.ReplyHeard)
    assert (bot.words, bot.unheard, bot.heard_ms, bot.interrupted) == (heard.text, heard.unheard, heard.heard_ms, True)
    assert 0 < heard.heard_ms < heard.received_ms == 2000
    assert (caller.who, caller.words) == ("caller", "Stop.")


def test_secret_digits_are_in_no_row() -> None:
    """>> a card number that is keyed in confidence, and a key behind it << no row of any table has them."""
    rule = FunctionRule(secrets=(Secret(SecretDigits("card", timeout_s=10, pause_s=5)),))
    story = Story(CallSettings(functions={"pay": rule}, digits=Digits(), stream_silence_limit_s=60))
    story.tell(DigitPressed("1"))
    story.call("pay")
    for digit in "79797979#7":
        story.tell(DigitPressed(digit))
        story.wait(0.1)
    rows = rows_of_story(story)
    assert [row.digit for row in last(rows, KeyRow) if isinstance(row, KeyRow)] == ["1"]
    texts = [text for row in rows for text in re.findall(r"[79]{2,}", str(row))]
    assert texts == []
