"""The caller and the called number of a call, in the form that lines, tools and texts use. Pure."""

import msgspec

from gateway.addresses import LONGEST, is_valid, read, region_of
from gateway.call.refusal import Refusal, TurnedAway
from gateway.config import Line
from gateway.config.numbers import own_number
from gateway.phone.events import CallStarted
from gateway.routes.refusing.refusals import Refused
from gateway.withheld import REASONS, withheld

UNKNOWN = "unknown"
"""The text that replaces a withheld caller's number."""


def identified(started: CallStarted, line: Line, region: str) -> CallStarted:
    """Return the start of a call with both numbers in standard form; a withheld caller is empty, with a reason.

    ``region`` is the provider's; the line's own takes precedence. Without either, a caller without country code is read
    as a number of the called number's country, if it is valid there.
    """
    region = line.settings.region or region
    started = msgspec.structs.replace(started, caller=started.caller[:LONGEST], called=started.called[:LONGEST])
    called = own_number(started.called, line.settings.numbers, region)
    reason = withheld(started.caller)
    caller = "" if reason else _caller(started.caller, region, called)
    parameters = started.parameters
    if reason and started.caller:  # many streams carry the numbers as parameters too, which placeholders may name
        parameters = {name: _without_caller(value, started.caller) for name, value in started.parameters.items()}
    return msgspec.structs.replace(started, caller=caller, called=called, withheld=reason, parameters=parameters)


def caller_of(caller: str, called: str, line: Line, region: str) -> str:
    """Return a caller in standard form; empty for one who withholds the number. ``region`` is the provider's."""
    if withheld(caller):
        return ""
    of_line = line.settings.region or region
    return _caller(caller[:LONGEST], of_line, own_number(called[:LONGEST], line.settings.numbers, of_line))


def turned_away(key: tuple[str, str], caller: str, called: str, line: Line, region: str, reason: Refusal) -> TurnedAway:
    """Return a call of a line for which there is no room; ``key`` is its provider and id, ``region`` the provider's."""
    own = own_number(called[:LONGEST], line.settings.numbers, line.settings.region or region)
    return TurnedAway(*key, line.name, caller_of(caller, called, line, region), own, reason)


def _without_caller(value: str, withheld_caller: str) -> str:
    """Return a parameter's value; the value that names a withheld caller, in any spelling, becomes unknown."""
    is_keyed = any(map(str.isdecimal, value)) and withheld(value) in REASONS
    return UNKNOWN if value == withheld_caller or is_keyed else value


def _caller(text: str, region: str, called: str) -> str:
    caller = read(text, region)
    if region or caller.startswith("+"):
        return caller
    neighbour = read(caller, region_of(called))
    return neighbour if is_valid(neighbour) else caller


def unknown_line(name: str, called: str, region: str, *, is_ours: bool = True) -> Refused:
    """Return the refusal of a call to a number that no line has.

    The called number is ours and is logged in clear. In a call that we placed it is a person's, and is masked.
    """
    if name:
        return Refused(Refusal.UNKNOWN_LINE, "no such line here")
    hint = ""
    if not called:
        hint = "the provider named no called number: name the line in the address, or send the number along"
    elif not region and not read(called).startswith("+"):
        hint = (
            "a number without its country code: set the region of the provider or the line, or write it so in numbers"
        )
    fields = {"our_number" if is_ours else "called": called[:LONGEST]}
    return Refused(Refusal.UNKNOWN_NUMBER, "no line takes the called number", hint=hint, fields=fields)
