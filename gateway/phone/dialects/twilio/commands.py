"""Call control by Twilio's REST resource of a call, which others took over (REST API, Call resource). Pure."""

from gateway.path_segment import segment
from gateway.phone.dialects.twilio import twiml
from gateway.phone.provider import CallCommands
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import basic, ending, form_request


class TwimlCommands(CallCommands):
    """The commands of one account. ``api_url`` is the part before ``/2010-04-01``."""

    def __init__(self, api_url: str, account: str, password: str) -> None:
        self._accounts_url = f"{api_url}/2010-04-01/Accounts"
        self._account = account
        self._authorization = basic(account, password)

    def hang_up(self, call_id: str) -> Requests:
        """End the call."""
        return ending([self._update(call_id, {"Status": "completed"})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Replace the running document by a ``<Dial>``; the stream then stops."""
        return (self._update(call_id, {"Twiml": twiml.dial_document(target)}),)

    def redirect(self, call_id: str, url: str) -> Requests:
        """Let the provider ask ``url`` for another document; the stream then stops."""
        return (self._update(call_id, {"Url": url, "Method": "POST"}),)

    def _update(self, call_id: str, form: dict[str, str]) -> HttpRequest:
        url = f"{self._accounts_url}/{segment(self._account)}/Calls/{segment(call_id)}.json"
        return form_request(url, form, self._authorization)
