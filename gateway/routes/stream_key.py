"""Who may open a media stream: the holder of a token of ours, of the provider's secret, or of its signature."""

import time
from collections.abc import Mapping

from gateway.phone.http_request import is_one_of
from gateway.phone.provider import Grant, Provider, SignatureError, Upgrade
from gateway.phone.token import StreamTokens

ANY_LINE = "-"
"""Stands in a stream's path for "the line of the called number", where a secret follows."""


class StreamKeys:
    """Decides before the upgrade is answered, so that whoever has no key gets neither a socket nor a session.

    ``secrets`` are the ``stream_secret`` of each account: for streams that a static document or a dialplan opens.
    """

    def __init__(self, tokens: StreamTokens, secrets: Mapping[str, tuple[str, ...]], *, required: bool) -> None:
        self._tokens = tokens
        self._secrets = secrets
        self._required = required

    def authorize(self, provider: Provider, upgrade: Upgrade, line: str, token: str) -> Grant:
        """Whose stream it is; ``SignatureError`` where nothing proves that it may be opened."""
        now_s = time.time()
        proven = provider.verify_upgrade(upgrade, now_s)
        named = Grant(line="" if line == ANY_LINE else line)
        if token and is_one_of(token, self._secrets.get(provider.name, ())):
            return named
        if token:
            grant = self._tokens.redeem(provider.name, token, now_s)
            if grant.line != line:
                raise SignatureError(f"the stream's token is for line {grant.line}")
            return grant
        if proven or not self._required:
            return named
        raise SignatureError("the stream has no token")
