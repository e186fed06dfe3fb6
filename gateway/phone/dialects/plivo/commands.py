"""Call control by Plivo's REST API and those who took it over ("Hang up a call", "Transfer a call"). Pure."""

from collections.abc import Mapping

from gateway.path_segment import segment
from gateway.phone.dialects.plivo.xml import transfer_url
from gateway.phone.provider import CallCommands
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import ending
from gateway.text import json_bytes


class PlivoCommands(CallCommands):
    """The commands of one account.

    ``accounts_url`` ends before the account's id, ``credentials`` are headers; ``answer_url`` is our
    ``/answer/{provider}``.
    """

    def __init__(self, accounts_url: str, account: str, credentials: Mapping[str, str], answer_url: str) -> None:
        self._accounts_url = accounts_url
        self._account = account
        self._credentials = credentials
        self._answer_url = answer_url

    def hang_up(self, call_id: str) -> Requests:
        """End the call."""
        return ending([HttpRequest("DELETE", self._url(call_id), self._credentials)])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Send the call on to a document that dials; none without ``answer_url``."""
        if not self._answer_url:
            return ()
        return self.redirect(call_id, transfer_url(self._answer_url, target))

    def redirect(self, call_id: str, url: str) -> Requests:
        """Send the call on to the document of ``url``."""
        body = {"legs": "aleg", "aleg_url": url, "aleg_method": "POST"}
        headers = {**self._credentials, "Content-Type": "application/json"}
        return (HttpRequest("POST", self._url(call_id), headers, json_bytes(body)),)

    def _url(self, call_id: str) -> str:
        return f"{self._accounts_url}/{segment(self._account)}/Call/{segment(call_id)}/"
