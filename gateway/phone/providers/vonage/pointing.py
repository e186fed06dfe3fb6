"""Sets the webhook of a number at Vonage: that of its application ("Numbers API", "Applications API v2"). Pure."""

from urllib.parse import urlencode

from gateway.config import providers as settings
from gateway.errors import InputError
from gateway.phone.pointing import Account, Change, Pointing, Urls, changing, fetched, id_segment
from gateway.phone.shared.http_request import basic


def find(account: Account[settings.Vonage], number: str, urls: Urls) -> Pointing:
    """Find a number and its application."""
    application_id = account.needed("application_id")
    authorization = {"Authorization": basic(account.needed("api_key"), account.needed("api_secret"))}
    query = urlencode({"pattern": number.removeprefix("+"), "search_pattern": "0"})
    found = yield from fetched(f"{account.settings.rest_url}/account/numbers?{query}", authorization)
    numbers = [entry for entry in found.get("numbers") or [] if entry.get("msisdn") == number.removeprefix("+")]
    if not numbers:
        raise InputError(f"{number} is not a number of this account")
    if numbers[0].get("app_id") != application_id:
        raise InputError(f"{number} is not linked to application {application_id}: link it in the dashboard first")
    url = f"{account.settings.api_url}/v2/applications/{id_segment(application_id)}"
    application = yield from fetched(url, authorization)
    capabilities = application.get("capabilities") or {}
    webhooks = dict((capabilities.get("voice") or {}).get("webhooks") or {})
    before, fallback = (
        str((webhooks.get(key) or {}).get("address") or "") for key in ("answer_url", "fallback_answer_url")
    )
    webhooks["answer_url"] = {"address": urls.answer, "http_method": "POST"}
    webhooks["fallback_answer_url"] = {"address": urls.fallback, "http_method": "POST"}
    webhooks["event_url"] = {"address": urls.status, "http_method": "POST"}
    voice = {**(capabilities.get("voice") or {}), "webhooks": webhooks}
    body = {"name": application.get("name") or "gateway", "capabilities": {**capabilities, "voice": voice}}
    what = f"application {application.get('name') or application_id} of {number}"
    return Change(what, before, urls.answer, changing("PUT", url, authorization, body), fallback, urls.fallback)
