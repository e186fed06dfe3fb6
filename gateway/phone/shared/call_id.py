"""The ids of calls, for addresses of REST APIs and for logs: which texts are ids, and which source counts. Pure."""

import re

from gateway.errors import WireError
from gateway.path_segment import leads_away

LONGEST = 200
"""Characters of an id. The longest seen are Telnyx' call control ids, of about a hundred."""
_SIGNS = re.compile(r"[!-~]+")
"""Printable ASCII without the space."""


def is_call_id(text: str, *, slashes: bool = False) -> bool:
    """Return whether a text can be a call's id; ``slashes`` for ids with slashes that go into no address."""
    if len(text) > LONGEST or not _SIGNS.fullmatch(text) or not any(map(str.isalnum, text)):
        return False
    if any(map(leads_away, text.split("@"))):  # the text around a slash may be a segment by itself, as in Telnyx' TeXML
        return False
    return slashes or not {"/", "\\"} & set(text)


def checked(call_id: str, *, slashes: bool = False) -> str:
    """Return an id as it is; raise ``WireError`` where it can be none."""
    if not is_call_id(call_id, slashes=slashes):
        shown = f"{len(call_id)} characters" if len(call_id) > LONGEST else ascii(call_id)[:60]
        raise WireError(f"the call's id is {shown}: expected at most {LONGEST} printable characters, and no path")
    return call_id


def call_of(granted: str, said: str, *, slashes: bool = False) -> str:
    """Return the id of the call that a stream carries: the one that was answered, or the one that its start names.

    ``granted`` is the id of our answer's token, empty where the stream came without one. A token may be stolen:
    a start with another id is refused. Raises ``WireError``.
    """
    if not granted:
        return checked(said, slashes=slashes) if said else ""
    if said and said.casefold() != granted.casefold():
        raise WireError("the start names another call than the one that was answered")
    return granted
