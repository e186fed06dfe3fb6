"""Sets the webhook of a number: Twilio "IncomingPhoneNumber resource", SignalWire "Compatibility API". Pure."""

from urllib.parse import urlencode

from gateway.errors import InputError
from gateway.phone.pointing import Change, Pointing, Urls, fetched, id_segment
from gateway.phone.requests import HttpRequest
from gateway.phone.shared.http_request import basic


def find_number(base: str, user: str, password: str, number: str, urls: Urls) -> Pointing:
    """Find a number of the account whose resources are below ``base``."""
    authorization = {"Authorization": basic(user, password)}
    query = urlencode({"PhoneNumber": number})
    url = f"{base}/IncomingPhoneNumbers.json?{query}"
    numbers = (yield from fetched(url, authorization)).get("incoming_phone_numbers") or []
    if not numbers:
        raise InputError(f"{number} is not a number of this account")
    form = {
        "VoiceUrl": urls.answer,
        "VoiceMethod": "POST",
        "VoiceFallbackUrl": urls.fallback,
        "VoiceFallbackMethod": "POST",
        "StatusCallback": urls.status,
        "StatusCallbackMethod": "POST",
    }
    headers = {**authorization, "Content-Type": "application/x-www-form-urlencoded"}
    url = f"{base}/IncomingPhoneNumbers/{id_segment(str(numbers[0]['sid']))}.json"
    before, fallback = str(numbers[0].get("voice_url") or ""), str(numbers[0].get("voice_fallback_url") or "")
    request = HttpRequest("POST", url, headers, urlencode(form).encode(), repeatable=True)
    return Change(f"number {number}", before, urls.answer, request, fallback, urls.fallback)
