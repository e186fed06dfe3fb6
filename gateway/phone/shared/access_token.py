"""Access tokens of OAuth 2.0 (RFC 6749), which some REST APIs ask for before each command. Pure."""

import msgspec

from gateway.errors import WireError
from gateway.phone.requests import HttpRequest, Steps


class _Token(msgspec.Struct):
    access_token: str


def access_token(request: HttpRequest) -> Steps[str]:
    """Make a request for a token; return the ``access_token`` of its answer (RFC 6749 §5.1)."""
    answer = yield request
    try:
        return msgspec.json.decode(answer, type=_Token).access_token
    except (msgspec.DecodeError, UnicodeError):
        raise WireError("the answer has no access_token") from None
