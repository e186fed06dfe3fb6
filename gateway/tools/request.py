"""The HTTP request that carries a function out, as data. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from gateway.function import CallContext, HttpCall
from gateway.path_segment import leads_away, segment
from gateway.tools.arguments import refused
from gateway.tools.result import FunctionFailed, write_json
from gateway.tools.signature import signature_headers

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_AUTHORITY = re.compile(r"[A-Za-z]+://[^/?]*")
_FIT_FOR_HEADER = "!#$&'()*+,/:;<=>?@[]^`{|}~ "
"""Characters that stay as they are in a header, besides letters and digits; all else, and %, is percent-encoded."""


@dataclass(frozen=True)
class Request:
    """A request to make; ``url`` is encoded and stays as it is."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def request_for(
    name: str,
    http: HttpCall,
    context: CallContext,
    arguments: Mapping[str, Any],
    now_s: float,
    headers: Mapping[str, str] | None = None,
) -> Request:
    """Return the request for a function and its arguments. ``headers`` go with it, whatever the function's own are.

    Raises FunctionFailed (``refused``) for an argument that the url cannot hold, InputError for an unusable secret.
    """
    url, in_url = _filled_in(http.url, arguments)
    key = _message_id(context)
    ours = {"Idempotency-Key": key, **(headers or {})}
    body = b""
    if http.method == "GET":
        rest = {name: value for name, value in arguments.items() if name not in in_url}
        query = urlencode(list(_query(rest)), errors="replace")
        url += ("&" if "?" in url else "?") + query if query else ""
        ours |= _facts(name, context)
    else:
        body = _body(name, context, arguments)
        ours["Content-Type"] = "application/json"
    if http.secret:
        ours |= signature_headers(http.secret, key, int(now_s), body, old_secret=http.old_secret)
    taken = {header.lower() for header in ours}
    own = {header: value for header, value in http.headers.items() if header.lower() not in taken}
    return Request(http.method, url, own | ours, body)


def _body(name: str, context: CallContext, arguments: Mapping[str, Any]) -> bytes:
    call = {"id": context.call_id, "line": context.line, "caller": context.caller, "called": context.called}
    if context.caller_withheld:
        call["caller_withheld"] = context.caller_withheld
    said = {"tool": name, "arguments": arguments, "call": call, "tool_call_id": context.tool_call_id}
    return write_json(said).encode()


def _facts(name: str, context: CallContext) -> dict[str, str]:
    """Return the headers with the facts that other methods have in the body; unknown facts are left out."""
    facts = {
        "X-Tool": name,
        "X-Tool-Call-Id": context.tool_call_id,
        "X-Call-Id": context.call_id,
        "X-Call-Line": context.line,
        "X-Call-Caller": context.caller,
        "X-Call-Caller-Withheld": context.caller_withheld,
        "X-Call-Called": context.called,
    }
    return {header: _for_header(value) for header, value in facts.items() if value}


def _message_id(context: CallContext) -> str:
    """Return the id of a tool's call, the same in each try. It has no dot, which would end it in the signed text."""
    return f"{_for_header(context.call_id)}:{_for_header(context.tool_call_id)}".replace(".", "%2E")


def _for_header(value: str) -> str:
    return quote(value, safe=_FIT_FOR_HEADER, errors="replace")


def _query(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield name, each if isinstance(each, str) else write_json(each)


def _filled_in(url: str, arguments: Mapping[str, Any]) -> tuple[str, set[str]]:
    """Return the url with its placeholders filled in, and their names. The host is the operator's alone."""
    host = _AUTHORITY.match(url)
    start = host.end() if host else 0
    names = set(_PLACEHOLDER.findall(url, start))
    path = _PLACEHOLDER.sub(lambda found: _segment(found[1], arguments.get(found[1])), url[start:])
    return url[:start] + path, names


def _segment(name: str, value: Any) -> str:
    """Return an argument as a part of one path segment."""
    if isinstance(value, dict | list) or value is None:
        raise _unfit(name, "a single value is needed")
    text = value if isinstance(value, str) else write_json(value)
    if leads_away(text):
        raise _unfit(name, "it cannot be part of an address")
    try:
        return segment(text, errors="replace")
    except ValueError as error:
        raise _unfit(name, f"it {error}") from None


def _unfit(name: str, why: str) -> FunctionFailed:
    return refused(f"the arguments do not fit: {name}: {why}", "an argument cannot stand in the url")
