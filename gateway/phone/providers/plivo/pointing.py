"""Sets the webhook of a number at Plivo: that of its application ("Number", "Application"). Pure."""

from gateway.config import providers as settings
from gateway.errors import InputError
from gateway.phone.pointing import Account, Change, Pointing, Urls, changing, fetched, id_segment
from gateway.phone.shared.http_request import basic


def find(account: Account[settings.Plivo], number: str, urls: Urls) -> Pointing:
    """Find a number and its application."""
    auth_id = account.needed("auth_id")
    authorization = {"Authorization": basic(auth_id, account.needed("auth_token"))}
    url = f"{account.settings.api_url}/v1/Account/{id_segment(auth_id)}/Number/{number.removeprefix('+')}/"
    path = str((yield from fetched(url, authorization)).get("application") or "")
    if not path:
        raise InputError(f"{number} has no application: assign it to an XML application in the console first")
    application = yield from fetched(account.settings.api_url + path, authorization)
    body = {
        "answer_url": urls.answer,
        "answer_method": "POST",
        "fallback_answer_url": urls.fallback,
        "fallback_method": "POST",
        "hangup_url": urls.status,
        "hangup_method": "POST",
    }
    what = f"application {application.get('app_name') or path} of {number}"
    before, fallback = (str(application.get(key) or "") for key in ("answer_url", "fallback_answer_url"))
    request = changing("POST", account.settings.api_url + path, authorization, body)
    return Change(what, before, urls.answer, request, fallback, urls.fallback)
