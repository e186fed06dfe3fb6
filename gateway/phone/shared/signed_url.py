"""The spellings of one URL over which a provider may have made its signature. Pure.

A provider signs the URL that was entered there, after its own HTTP client has read it. We know the URL as
``public_url`` has it. Twilio's validators accept it with and without any port, and with its query encoded in two ways
(twilio-python ``request_validator.py``, twilio-node ``webhooks.ts``). Twilio keeps the case of the host as entered.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

SPELLINGS_LIMIT = 4
"""Spellings of one URL that are tried at most: each costs a hash over the whole request."""
_DEFAULT_PORTS = {"https": "443", "wss": "443", "http": "80", "ws": "80"}
_LEGACY_SAFE = "!'()*"
"""The characters that Node's ``querystring.stringify`` leaves as they are, besides letters, digits and ``-._~``."""


class _Parts(NamedTuple):
    scheme: str
    host: str
    port: str
    target: str


def spellings(url: str, host_header: str = "", *, legacy_query: bool = False) -> Iterator[str]:
    """Yield ``url`` itself, then its other spellings, the likely ones first: ``SPELLINGS_LIMIT`` at most.

    ``host_header`` is trusted for the case of the host's letters alone. ``legacy_query`` adds the query as older
    systems encode it.
    """
    found: list[str] = []
    for spelled in _all_spellings(url, host_header, legacy_query=legacy_query):
        if spelled not in found:
            found.append(spelled)
            yield spelled
        if len(found) == SPELLINGS_LIMIT:
            return


def _all_spellings(url: str, host_header: str, *, legacy_query: bool) -> Iterator[str]:
    scheme, host, port, target = _split(url)
    hosts = _spelled_hosts(host, host_header)
    ports = _with_and_without_port(scheme, "", port)
    queries = (False, True) if legacy_query and "?" in target else (False,)
    legacy = ""

    def unlikeliness(choice: tuple[int, int, bool]) -> tuple[int, int]:
        """Sort by the number of differences; of single ones: missing port, other case, other encoding, written port."""
        of_port, of_host, of_query = choice
        differences = [(of_port, 0 if port else 3), (of_host, 1), (of_query, 2)]
        ranks = [rank for differs, rank in differences if differs]
        return len(ranks), min(ranks, default=0)

    for of_port, of_host, of_query in sorted(product(range(len(ports)), range(len(hosts)), queries), key=unlikeliness):
        if of_query and not legacy:
            legacy = _legacy(target)
        yield f"{scheme}://{hosts[of_host]}{ports[of_port]}{legacy if of_query else target}"


def with_credentials(url: str, user: str, password: str) -> str:
    """Return ``url`` with the Basic credentials that a provider took out of it and sends in a header."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme}{colon}{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def as_asked(url: str) -> str:
    """Return ``url`` with its host as HTTP clients write it: in lower case and in ASCII."""
    scheme, host, port, target = _split(url)
    return f"{scheme}://{_in_ascii(host).lower()}{port and ':'}{port}{target}"


def without_port(url: str) -> str:
    """Return ``url`` without its port, if it has one."""
    scheme, host, _, target = _split(url)
    return f"{scheme}://{host}{target}"


def authorities(url: str) -> tuple[str, ...]:
    """Return host and port of ``url`` as HTTP message signatures write them, in lower case, the likely ones first."""
    scheme, host, port, _ = _split(url)
    is_default = port == _DEFAULT_PORTS.get(scheme)
    return _with_and_without_port(scheme, host.lower(), "" if is_default else port)


def _split(url: str) -> _Parts:
    scheme, _, rest = url.partition("://")
    end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
    authority, target = rest[:end], rest[end:]
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdigit():  # no port, or the last part of an IPv6 address
        host, port = authority, ""
    return _Parts(scheme, host, port, target)


def _with_and_without_port(scheme: str, host: str, port: str) -> tuple[str, ...]:
    if port:
        return f"{host}:{port}", host
    default = _DEFAULT_PORTS.get(scheme)
    return (host, f"{host}:{default}") if default else (host,)


def _spelled_hosts(host: str, host_header: str) -> list[str]:
    """Return the host as configured, as the request spells it (if it is the same), in lower case, in ASCII or not."""
    asked = _split(f"any://{host_header}").host
    same = [asked] if asked.lower() == host.lower() else []
    return list(dict.fromkeys((host, *same, host.lower(), _in_ascii(host), _in_letters(host))))


def _in_ascii(host: str) -> str:
    """Return a name with letters beyond ASCII as HTTP clients ask for it (RFC 5890, A-label)."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _in_letters(host: str) -> str:
    """Return a name in the form of :func:`_in_ascii` as people write it, and may enter it at a provider."""
    try:
        return host.encode("ascii").decode("idna") if "xn--" in host.lower() else host
    except UnicodeError:
        return host


def _legacy(target: str) -> str:
    path, _, query = target.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return f"{path}?{urlencode(pairs, safe=_LEGACY_SAFE, errors='surrogateescape', quote_via=quote)}"
