"""Finds misplaced credentials: written into a line's file, or in texts that the model and callers get."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.config.reading.environment import FromEnvironment
from gateway.config.reading.problems import Finding, KeyPath

SHORTEST = 12
"""A value of the environment with fewer characters is not searched for: texts may contain it by chance."""
_NAME = re.compile(
    r"auth|(api|access)[-_]?key|(^|[-_])key$|token|secret|passw|pwd|credential|cookie|(^|[-_])sig(nature)?$|^code$"
    r"|session[-_]?(id|key)?$",
    re.IGNORECASE,
)
"""Names of headers and query parameters that carry credentials."""
_ALWAYS = re.compile(r"((api|access)[-_]?key|(auth|access|api|bearer)[-_]?token|secret|passw(or)?d)$", re.IGNORECASE)
"""Those of them whose value is always a credential, however short it is."""
_SCHEME = re.compile(
    r"\s*((bearer|token|apikey)\s+(?=\S*[0-9])[!-~]{6,}|basic\s+(?=\S*[0-9=])[0-9A-Za-z+/]{6,}={0,2})", re.IGNORECASE
)
"""A header value that is a credential under any header name (RFC 9110 §11.4)."""
_HARMLESS = re.compile(r"idempotency|(?<!session)(?<!session[-_])id$", re.IGNORECASE)
_VALUE = re.compile(r"[!-~]{8,}")
_SHAPES = {
    "an Azure key": r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{32}|[0-9A-Za-z]{40,60}JQQJ99[0-9A-Za-z]{20,40})(?![0-9A-Za-z])",
    "an OpenAI key": r"(?<![\w-])sk-[A-Za-z0-9_-]{20,}",
    "an AWS key": r"(?<![0-9A-Za-z])A[KS]IA[0-9A-Z]{16}(?![0-9A-Za-z])",
    "a Google key": r"(?<![\w-])(?:AIza[\w-]{35}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,})",
    "a Twilio key": r"(?<![0-9A-Za-z])SK[0-9a-f]{32}(?![0-9A-Za-z])",
    "a Telnyx key": r"(?<![0-9A-Za-z])KEY[0-9A-F]{32}_\w{16,}",
    "a Stripe key": r"(?<![0-9A-Za-z])[rs]k_(?:live|test)_[0-9A-Za-z]{16,}",
    "a SendGrid key": r"(?<![\w-])SG\.[\w-]{16,}\.[\w-]{16,}",
    "a GitLab token": r"(?<![\w-])glpat-[\w-]{20,}",
    "an npm token": r"(?<![0-9A-Za-z])npm_[0-9A-Za-z]{36}",
    "a Slack webhook": r"hooks\.slack\.com/(?:services|workflows|triggers)/\w+/\w+/\w+",
    "a GitHub token": r"(?<![0-9A-Za-z])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})",
    "a Slack token": r"(?<![\w-])(?:xox[abeprs]|xapp)-[\w-]{10,}",
    "a webhook's secret": r"(?<![\w-])whsec_[A-Za-z0-9+/=]{20,}",
    "a JSON Web Token": r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a signed address": r"[?&]sig=[\w%+/=-]{30,}",
    "a bearer token": r"\b[Bb]earer (?=[A-Za-z._~+/-]*[0-9])[A-Za-z0-9._~+/-]{20,}",
    "a connection string": r"(?:AccountKey|SharedAccessKey|accesskey)=[A-Za-z0-9+/=]{20,}",
}
_WITH_PASSWORD = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|sips?:)[^\s/:@{}]+:[^\s/@{}]+@", re.IGNORECASE)
"""An address that contains a user and a password."""
_SHAPE = re.compile("|".join(f"(?P<shape{index}>{shape})" for index, shape in enumerate(_SHAPES.values())))
_WITH_SERVERS = (("tools",), ("deliver",))
_SENT_TO_SERVERS = ("headers", "url", "secret", "authorization", "server_url")
"""Keys of a tool or a receiver that are sent only to its own server, or sign what is sent there."""
IN_A_FILE = "is a secret written into a file, expected a reference to the environment, ${NAME}"


def leaks(data: Mapping[str, Any], secrets: Collection[str]) -> Iterator[Finding]:
    """Yield each credential in the data of a line's file; ``secrets`` are those of the environment."""
    for index, tool in enumerate(_list(data.get("tools"))):
        for kind in ("http", "mcp"):
            inside = tool.get(kind) if isinstance(tool, Mapping) else None
            if isinstance(inside, Mapping):
                yield from _of_a_request(inside, ("tools", index, kind))
    for path, text in _texts(data, ()):
        is_for_a_server = path[:1] in _WITH_SERVERS and any(key in path for key in _SENT_TO_SERVERS)
        if is_for_a_server and isinstance(text, FromEnvironment):
            continue
        if problem := leak_in(text, () if is_for_a_server else secrets):
            yield path, problem
        elif not is_for_a_server and not isinstance(text, FromEnvironment) and _WITH_PASSWORD.search(text):
            yield path, "holds a password in an address, expected none in a file"


def leak_in(text: str, secrets: Collection[str]) -> str:
    """Return which credential a text contains; empty if there is none."""
    if any(len(secret) >= SHORTEST and secret in text for secret in secrets):
        return "holds a secret of the environment, which the model and callers would get, expected it in no text"
    found = _SHAPE.search(text)
    if found is None:
        return ""
    kind = list(_SHAPES)[int((found.lastgroup or "shape0").removeprefix("shape"))]
    return f"holds what looks like {kind}, expected none in a file"


def _of_a_request(request: Mapping[str, Any], key: KeyPath) -> Iterator[Finding]:
    headers = request.get("headers")
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if _is_written(value) and _carries(str(name), value):
            yield (*key, "headers", name), IN_A_FILE
    for each in ("url", "server_url"):
        url = request.get(each)
        if isinstance(url, str) and _is_written(url) and _has_credentials(url):
            yield (*key, each), IN_A_FILE


def _is_written(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, FromEnvironment)


def _carries(name: str, value: str) -> bool:
    if name.lower() in ("authorization", "proxy-authorization") or _ALWAYS.search(name):
        return bool(value.strip())
    if _SCHEME.fullmatch(value):
        return True
    return bool(_NAME.search(name)) and not _HARMLESS.search(name) and bool(_VALUE.search(value))


def _has_credentials(url: str) -> bool:
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query)
    except ValueError:
        return False
    return "@" in parts.netloc or any("{" not in value and _carries(name, value) for name, value in query)


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    else:
        for index, inner in enumerate(_list(value)):
            yield from _texts(inner, (*path, index))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
