"""Sets the webhook of a number at Telnyx: that of its TeXML application ("TeXML applications"). Pure."""

from urllib.parse import urlencode

from gateway.config import providers as settings
from gateway.errors import InputError
from gateway.phone.pointing import Account, Change, Pointing, Urls, changing, fetched, id_segment
from gateway.phone.shared.http_request import bearer

_USABLE = ("G711U", "G711A")
"""PCMU and PCMA, as connections name them: what a stream brings without transcoding."""


def find(account: Account[settings.Telnyx], number: str, urls: Urls) -> Pointing:
    """Find a number and its application."""
    authorization = {"Authorization": bearer(account.needed("api_key"))}
    query = urlencode({"filter[phone_number]": number})
    found = yield from fetched(f"{account.settings.api_url}/v2/phone_numbers?{query}", authorization)
    numbers = found.get("data") or []
    if not numbers:
        raise InputError(f"{number} is not a number of this account")
    connection = str(numbers[0].get("connection_id") or "")
    if not connection:
        raise InputError(f"{number} has no connection: assign it to a TeXML application in the portal first")
    url = f"{account.settings.api_url}/v2/texml_applications/{id_segment(connection)}"
    application = (yield from fetched(url, authorization)).get("data") or {}
    body = {
        "friendly_name": application.get("friendly_name") or "gateway",
        "voice_url": urls.answer,
        "voice_method": "post",
        "voice_fallback_url": urls.fallback,
        "status_callback": urls.status,
        "status_callback_method": "post",
    }
    what = f"TeXML application {application.get('friendly_name') or connection} of {number}"
    before, fallback = str(application.get("voice_url") or ""), str(application.get("voice_fallback_url") or "")
    return Change(
        what,
        before,
        urls.answer,
        changing("PATCH", url, authorization, body),
        fallback,
        urls.fallback,
        codecs=tuple(map(str, (application.get("inbound") or {}).get("codecs") or ())),
        usable_codecs=_USABLE,
    )
