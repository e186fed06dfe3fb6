"""How a call ended, as the gateway and as the phone tell it."""

from dataclasses import replace

from gateway.sim.caller.call import CallResult
from gateway.sim.caller.timeline import TimelineEvent
from gateway.sim.report.outcome import outcome


def test_both_accounts_of_an_end(call: CallResult) -> None:
    """A bot that hangs up does so through the gateway: the phone sees the gateway, and the gateway names the bot."""
    fields = {"reason": "bot_hung_up", "by": "bot", "detail": ""}
    told = outcome(replace(call, ended_by="gateway"), [TimelineEvent(call.started_at, "call_ended", fields)])
    assert (told.told, told.failures) == ("The bot hung up", ())
    assert told.gateway == "bot_hung_up, by bot"
    assert told.phone == "the caller said everything (ended on the side of the gateway, close code 1000)"


def test_what_went_wrong_with_the_stream_is_a_failure(call: CallResult) -> None:
    """Where the gateway told no reason."""
    assert outcome(replace(call, failure="the stream broke"), []).failures == ("the stream broke",)
    closed = replace(call, ended_by="gateway", close_code=None)
    assert outcome(closed, []).failures == ("The gateway closed the stream with no code",)
