"""Removes secrets from texts that people share: reports, logs, error messages. Pure.

Two rules apply to every text. Values that are known to be secret are replaced in each spelling that a URL, JSON or
HTML may give them. Any text in a place for secrets is replaced, whoever it belongs to.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "…"
SHORTEST = 6
"""A known value with fewer characters stays: its replacement would mangle texts that have it by chance."""
PUBLIC = frozenset(
    {
        *("account_sid", "project_id", "domain", "auth_id", "application_id", "resource_id", "account_id", "client_id"),
        *(
            "webhook_user",
            "public_key",
            "provider",
            "api_url",
            "rest_url",
            "token_url",
            "keys_url",
            "endpoint",
            "rate_hz",
        ),
    }
)
"""Keys of a provider's section that name something; all others are secrets."""

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|SIGNING", re.IGNORECASE)
_NO_SECRETS = frozenset({"AZURE_TOKEN_CREDENTIALS"})
_IN_QUERY = (
    r"[\w.-]{0,40}(?:secret|token|key|passw(?:or)?d|pwd|signature|sig|credential|jwt|bearer|authorization)[\w.-]{0,40}"
    r"|auth|code"
)
_PATTERNS = (
    (
        ("://",),
        re.compile(r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://)[^/?#\s\"'<>@]*(?:@[^/?#\s\"'<>@]*)*@", re.IGNORECASE),
        rf"\g<1>{HIDDEN}@",
    ),
    (
        ("/stream/",),
        re.compile(r"(/stream/[^/?#\s\"'<>]+/[^/?#\s\"'<>]+/)[^/?#\s\"'<>]*[^/?#\s\"'<>,;:.)]"),
        rf"\g<1>{HIDDEN}",
    ),
    (("=",), re.compile(rf"([?&;](?:{_IN_QUERY})=)[^&;#\s\"'<>]+", re.IGNORECASE), rf"\g<1>{HIDDEN}"),
    (
        ("basic", "bearer", "digest"),
        re.compile(r"\b((?i:basic|bearer|digest)\s+)(?=\S*[0-9A-Z=+/_-])[\w.~+/=-]{8,}"),
        rf"\g<1>{HIDDEN}",
    ),
    (("eyj",), re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),
    (("gaaaa",), re.compile(r"(?<![\w-])gAAAA[\w-]{40,}"), HIDDEN),
)
"""The user of a URL, the token of a stream, a query's secrets, HTTP credentials, JSON Web Tokens, our own tokens.

Each comes after what a matching text contains, in lower case: most texts contain none of it, and looking for that costs
a hundredth of the pattern.
None may try more than a few starts in the same run of characters: texts come from peers, and the log from the event
loop.
"""


class Redactor:
    """Replaces ``secrets``, and texts that look like one, by ``HIDDEN``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {one for secret in secrets for one in _spellings(secret)}
        self._known = sorted(spellings, key=len, reverse=True)
        self._any_known = re.compile("|".join(map(re.escape, self._known)))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if any(known in text for known in self._known):
            text = self._any_known.sub(HIDDEN, text)
        lower = text.lower()
        for needed, pattern, instead in _PATTERNS:
            if any(part in lower for part in needed):
                text = pattern.sub(instead, text)
        return text

    def value(self, value: object) -> object:
        """Return a value as JSON would hold it, every text in it without secrets."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {name: self.value(inner) for name, inner in value.items()}
            case list() | tuple():
                return [self.value(inner) for inner in value]
            case _:
                return value


def secrets_in(environ: Mapping[str, str]) -> set[str]:
    """Return the values of an environment whose names say that they are secret."""
    names = (name for name in environ if _SECRET_NAME.search(name) and name not in _NO_SECRETS)
    return {environ[name] for name in names if not name.lower().endswith("public_key")}


def secrets_of(account: Mapping[str, str]) -> set[str]:
    """Return the secret values among the keys of a provider's section."""
    return {value for name, value in account.items() if name not in PUBLIC}


def _spellings(secret: str) -> set[str]:
    """Return a secret as it is, and as URLs, JSON and HTML write it; an empty set for one that is too short."""
    secret = secret.strip()
    if len(secret) < SHORTEST:
        return set()
    in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *in_json, html.escape(secret)}
