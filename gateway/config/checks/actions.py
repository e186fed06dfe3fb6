"""Checks of a line's greeting, hours, transfers, keys, parameters and agent."""

from collections.abc import Iterator

from gateway.addresses import is_sip
from gateway.config.full import WhenFull
from gateway.config.line.hours import DAYS, Closed, days_of
from gateway.config.line.line import Rescue, Settings
from gateway.config.reading.problems import Finding, KeyPath, suggestion

_OF_THE_AGENT = ("model", "tools", "tool_choice", "parallel_tool_calls", "temperature", "reasoning_effort")
"""Keys that a Foundry agent, like its instructions, sets itself; a line may not set them."""


def history_by_role(settings: Settings, model: str) -> Iterator[Finding]:
    """Require one role in each message of the history."""
    for index, said in enumerate(settings.history):
        if len(said.words) != 1:
            found = " and ".join(said.words) or "none of them"
            yield ("history", index), f"expected one of system, user and assistant, found {found}"


def greeting_in_one_way(settings: Settings, model: str) -> Iterator[Finding]:
    """Require that a greeting is either said, prompted or played."""
    greeting = settings.greeting
    if greeting is None:
        return
    ways = [way for way in ("say", "prompt", "play") if getattr(greeting, way) is not None]
    if not ways:
        yield ("greeting",), "has no words, expected say, prompt or play"
    for way in ways[1:]:
        yield ("greeting", way), f"stands beside {ways[0]}, expected one of say, prompt and play"
    if greeting.text is not None and greeting.play is None:
        yield ("greeting", "text"), "needs play: these are the words of a recording"


def one_phrase_for_trouble(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse words for a lost session that are both said and played."""
    trouble = settings.on_trouble
    if trouble is not None and trouble.say is not None and trouble.play is not None:
        yield ("on_trouble", "play"), "stands beside say, expected one of say and play"


def announced_in_one_way(settings: Settings, model: str) -> Iterator[Finding]:
    """Require that the announcement of a recording is either said or played."""
    announce = settings.recording.announce if settings.recording else None
    if announce is None:
        return
    key: KeyPath = ("recording", "announce")
    if announce.say is None and announce.play is None:
        yield key, "has no words, expected say or play"
    if announce.say is not None and announce.play is not None:
        yield (*key, "play"), "stands beside say, expected one of say and play"
    if announce.text is not None and announce.play is None:
        yield (*key, "text"), "needs play: these are the words of a recording"


def agent_and_the_rest(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse keys that the agent sets itself."""
    if settings.agent is None:
        return
    for key in _OF_THE_AGENT:
        if key in settings.model_fields_set:
            yield (key,), "belongs to the agent, expected no such key beside agent"


def parameters_once(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a parameter that is listed twice or is also a variable."""
    for index, name in enumerate(settings.parameters):
        if name in settings.variables:
            yield ("parameters", index), f"{name} is also one of variables, expected another name"
        if name in settings.parameters[:index]:
            yield ("parameters", index), f"{name} stands there twice"


def hours_of_each_day(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a day that has its hours in two entries."""
    if settings.hours is None:
        return
    owners: dict[int, str] = {}
    for text in settings.hours.open:
        taken = [day for day in days_of(text) if day in owners]
        if taken:
            yield ("hours", "open", text), f"{DAYS[taken[0]]} has its hours in {owners[taken[0]]} already"
        owners |= dict.fromkeys(days_of(text), text)


def closed_line(settings: Settings, model: str) -> Iterator[Finding]:
    """Require words, a recording or a transfer for callers of a closed line."""
    if settings.hours is None:
        return
    closed: Closed = settings.hours.closed
    if not (closed.say or closed.play or closed.transfer):
        yield ("hours", "closed"), "has nothing that callers meet, expected say, play or transfer"
    if closed.text is not None and closed.play is None:
        yield ("hours", "closed", "text"), "needs play: these are the words of a recording"


def one_action_for_a_key(settings: Settings, model: str) -> Iterator[Finding]:
    """Require exactly one action for each key."""
    for key, action in settings.on_key.items():
        does = [name for name in ("transfer", "say", "hang_up") if getattr(action, name)]
        if len(does) != 1:
            found = f"found {' and '.join(does)}" if does else "found none"
            yield ("on_key", key), f"expected one of transfer, say and hang_up: true, {found}"


def keys_once(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a key that ends an entry or a turn and has another use."""
    if settings.commit_on in settings.on_key:
        yield ("on_key", settings.commit_on or ""), "is also commit_on, expected another key"
    finish_on = settings.digits.finish_on if settings.digits else None
    if finish_on is None:
        return
    key: KeyPath = ("digits", "finish_on")
    if finish_on in settings.on_key:
        yield key, f"{finish_on} is also a key of on_key, expected another or none"
    if finish_on == settings.commit_on:
        yield key, f"{finish_on} is also commit_on, expected another or none"


def known_transfers(settings: Settings, model: str) -> Iterator[Finding]:
    """Refuse a transfer of keys, hours, ``after`` or ``on_…`` to a target that the line does not have."""
    named: list[tuple[KeyPath, str | None]] = [
        (("on_key", key, "transfer"), action.transfer) for key, action in settings.on_key.items()
    ]
    if settings.hours:
        named.append((("hours", "closed", "transfer"), settings.hours.closed.transfer))
    rescues: dict[str, Rescue | WhenFull | None] = {
        key: getattr(settings, key) for key in ("after", "on_failure", "on_shutdown", "when_full")
    }
    for key, wanted in rescues.items():
        target = wanted.transfer if wanted else None
        if target is not None and not (target.startswith("+") or is_sip(target)):
            named.append(((key, "transfer"), target))
    for path, target in named:
        if target is not None and target not in settings.transfers:
            known = suggestion(target, settings.transfers) if settings.transfers else "the line has none"
            hint = "; a phone number begins with + and its country code" if target.isdigit() else ""
            yield path, f"{target!r} is none of transfers, {known}{hint}"


RULES = (
    history_by_role,
    greeting_in_one_way,
    one_phrase_for_trouble,
    announced_in_one_way,
    agent_and_the_rest,
    parameters_once,
    hours_of_each_day,
    closed_line,
    one_action_for_a_key,
    keys_once,
    known_transfers,
)
