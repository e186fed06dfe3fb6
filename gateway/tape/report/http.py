"""The HTTP on a tape: webhooks compared with the provider's simulator, and answers that refuse."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from gateway.tape.form import Tape
from gateway.tape.report.finding import Finding
from gateway.tape.report.provider_model import paths_in, webhook_model


def http_findings(tape: Tape) -> Iterator[Finding]:
    """Yield what differs in webhooks and requests."""
    known = webhook_model(tape.header.provider)
    for at, (number, line) in enumerate(tape.of("webhook", "in", "request")):
        http = line.http or {}
        if at == 0 and known:
            fields = set(_fields(http))
            for name in sorted(fields - known):
                yield Finding("unknown_member", "webhook", f"the first webhook: {name}", number, line.t)
            for name in sorted(known - fields):
                yield Finding("absent_member", "webhook", f"the first webhook: {name}", number, line.t)
    for number, line in tape.of("webhook", "out", "answer"):
        http = line.http or {}
        if http.get("failure"):
            words = str(http["failure"])
            yield Finding("refused", "webhook", "we refused a webhook", number, line.t, verbatim=words)
    for number, line in tape.of("rest", "in", "answer"):
        http = line.http or {}
        status = http.get("status") or 0
        if not 200 <= status < 300:
            told = f"a request to the provider was answered with {status}" if status else "a request was not answered"
            words = str(http.get("json") or http.get("xml") or http.get("text") or http.get("failure") or "")
            yield Finding("http_status", "rest", told, number, line.t, verbatim=words[:500])


def _fields(http: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a webhook's fields, those of its query included."""
    yield from (str(pair[0]) for pair in http.get("form") or ())
    yield from paths_in(http.get("json"))
    query = str(http.get("url", "")).partition("?")[2]
    yield from (name for name, _ in parse_qsl(query, keep_blank_values=True))
