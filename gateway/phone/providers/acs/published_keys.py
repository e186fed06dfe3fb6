"""The tokens of ACS and the keys by which they are checked (Microsoft Learn, "Secure webhook endpoint"). Pure."""

from gateway.phone.provider import KeySet
from gateway.phone.requests import HttpRequest
from gateway.phone.shared import jwks

ISSUER = "https://acscallautomation.communication.azure.com"


class AcsKeys(KeySet):
    """The keys that are published at ``url``; they change now and then. ``audience`` is whom tokens must be for."""

    def __init__(self, url: str, audience: str, file: str = "") -> None:
        self.file = file
        self._url = url
        self._audience = audience
        self._keys: jwks.Keys = {}

    def request(self) -> HttpRequest:
        """Return the request that fetches the keys."""
        return HttpRequest("GET", self._url, repeatable=True)

    def replace(self, document: bytes) -> None:
        """Take the published keys; ``WireError`` where the document is no JWKS."""
        self._keys = jwks.read_keys(document)

    def check(self, token: str, now_s: float) -> None:
        """Raise ``SignatureError`` unless the service has signed a token for us that is valid now."""
        try:
            jwks.verify_token(token, self._keys, issuer=ISSUER, audience=self._audience, now_s=now_s)
        except jwks.UnknownKeyError:
            if self._keys:
                raise
            raise jwks.UnknownKeyError(f"the keys of {self._url} have not been fetched") from None
