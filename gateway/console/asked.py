"""The calls that the address of a page asks for. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from msgspec import Struct, field

from gateway.addresses import read
from gateway.records.wanted import Wanted

LONGEST = 200
"""Most characters of a field; what is longer was not typed."""


class Asked(Struct, frozen=True, kw_only=True):
    """The fields of the form as they were sent, and what is wrong with them; a wrong one takes any call."""

    line: str = ""
    number: str = ""
    reason: str = ""
    since: str = ""
    until: str = ""
    said: str = ""
    recorded: bool = False
    problem: bool = False
    before: str = ""
    after: str = ""
    wrong: tuple[str, ...] = field(default=())

    @property
    def is_narrowed(self) -> bool:
        """``True`` if not all calls are asked for."""
        return bool(self.filters)

    @property
    def filters(self) -> dict[str, str]:
        """The fields that are set, but for the place in the list."""
        named = {"line": self.line, "number": self.number, "reason": self.reason, "since": self.since}
        named |= {"until": self.until, "said": self.said}
        flags = {"recorded": self.recorded, "problem": self.problem}
        return {name: value for name, value in named.items() if value} | {name: "1" for name, on in flags.items() if on}

    def address(self, path: str, **place: str) -> str:
        """Return the address of the same calls from a place in the list on."""
        query = urlencode(self.filters | place)
        return f"{path}?{query}" if query else path

    def wanted(self, hashes: tuple[str, ...] = ()) -> Wanted:
        """Return the calls that are asked for; ``hashes`` are those of the number."""
        number = read(self.number)
        last = _day(self.until)
        return Wanted(
            line=self.line,
            numbers=(number,) if number else (),
            hashes=hashes,
            reason="" if self.reason in _STATES else self.reason,
            state=self.reason if self.reason in _STATES else "",
            since=_day(self.since),
            until=None if last is None else last + timedelta(days=1),
            said=self.said,
            recorded=self.recorded,
            problem=self.problem,
            before=self.before,
        )


_STATES = ("running", "interrupted")
"""States of calls that have no reason, which stand among the reasons."""


def asked(query: Mapping[str, str], *, may_read: bool) -> Asked:
    """Return what an address asks for; words are searched only by those who may read them."""
    named = {name: query.get(name, "").strip()[:LONGEST] for name in ("line", "number", "reason", "since", "until")}
    named |= {name: query.get(name, "").strip()[:LONGEST] for name in ("before", "after")}
    wrong = []
    for name, title in (("since", "From"), ("until", "To")):
        if named[name] and _day(named[name]) is None:
            wrong.append(f"{title}: {named[name]} is no day, expected such as 2026-11-29")
            named[name] = ""
    said = query.get("said", "").strip()[:LONGEST]
    if said and not may_read:
        wrong.append("Said: only listeners search words")
    return Asked(
        **named,
        said=said if may_read else "",
        recorded=bool(query.get("recorded")),
        problem=bool(query.get("problem")),
        wrong=tuple(wrong),
    )


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
