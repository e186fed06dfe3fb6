"""Points a number's webhook at this gateway through its provider's API. Pure: requests go out, answers come in.

A pointing is a generator: it yields each :class:`HttpRequest` it needs the answer of and returns the :class:`Change`
to make. Twilio "IncomingPhoneNumber resource"; Telnyx "TeXML applications"; Plivo "Number" and "Application";
SignalWire "Compatibility API"; Vonage "Numbers API" and "Applications API v2".
"""

import base64
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from gateway.config.providers import ProviderSettings, provider_of
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, values_of
from gateway.errors import GatewayError, InputError
from gateway.path_segment import segment
from gateway.phone.provider import HttpRequest
from gateway.text import json_bytes


class Change(Struct, frozen=True):
    """A change to make: ``what`` is the thing, ``before`` and ``after`` its webhook, ``request`` does it.

    The provider asks the fallback where it cannot fetch the webhook's answer or a later document of a call.
    """

    what: str
    before: str
    after: str
    request: HttpRequest
    fallback_before: str = ""
    fallback_after: str = ""

    @property
    def is_needed(self) -> bool:
        """True if there is anything to change."""
        return (self.before, self.fallback_before) != (self.after, self.fallback_after)


class Urls(Struct, frozen=True):
    """The URLs that a number gets: our answer and status webhooks, and the fallback where the answer fails."""

    answer: str
    status: str
    fallback: str


class Account(Struct, frozen=True):
    """An account at a provider: its name in ``gateway.yaml`` and the settings that it has there."""

    name: str
    settings: Any

    def needed(self, key: str) -> str:
        """Return a setting that every request needs. Raises InputError where it is not set."""
        text = first(values_of(getattr(self.settings, key)))
        if not text:
            raise InputError(f"{variable_of(self.name, key)} is not set, expected it in the environment")
        return text


Pointing = Generator[HttpRequest, bytes, Change]


def _twilio(account: Account, number: str, urls: Urls) -> Pointing:
    sid = account.needed("account_sid")
    basic = _basic(sid, account.needed("auth_token"))
    base = f"{account.settings.api_url}/2010-04-01/Accounts/{_segment(sid)}"
    return (yield from _compatible(base, basic, number, urls))


def _signalwire(account: Account, number: str, urls: Urls) -> Pointing:
    project = account.needed("project_id")
    basic = _basic(project, account.needed("api_token"))
    space = account.needed("api_url")
    base = f"{space}/api/laml/2010-04-01/Accounts/{_segment(project)}"
    return (yield from _compatible(base, basic, number, urls))


def _compatible(base: str, basic: Mapping[str, str], number: str, urls: Urls) -> Pointing:
    query = urlencode({"PhoneNumber": number})
    found = _read((yield HttpRequest("GET", f"{base}/IncomingPhoneNumbers.json?{query}", basic, repeatable=True)))
    numbers = found.get("incoming_phone_numbers") or []
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
    headers = {**basic, "Content-Type": "application/x-www-form-urlencoded"}
    url = f"{base}/IncomingPhoneNumbers/{_segment(str(numbers[0]['sid']))}.json"
    before, fallback = str(numbers[0].get("voice_url") or ""), str(numbers[0].get("voice_fallback_url") or "")
    request = HttpRequest("POST", url, headers, urlencode(form).encode(), repeatable=True)
    return Change(f"number {number}", before, urls.answer, request, fallback, urls.fallback)


def _telnyx(account: Account, number: str, urls: Urls) -> Pointing:
    bearer = {"Authorization": f"Bearer {account.needed('api_key')}"}
    query = urlencode({"filter[phone_number]": number})
    found = _read(
        (yield HttpRequest("GET", f"{account.settings.api_url}/v2/phone_numbers?{query}", bearer, repeatable=True))
    )
    numbers = found.get("data") or []
    if not numbers:
        raise InputError(f"{number} is not a number of this account")
    connection = str(numbers[0].get("connection_id") or "")
    if not connection:
        raise InputError(f"{number} has no connection: assign it to a TeXML application in the portal first")
    url = f"{account.settings.api_url}/v2/texml_applications/{_segment(connection)}"
    application = _read((yield HttpRequest("GET", url, bearer, repeatable=True))).get("data") or {}
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
    return Change(what, before, urls.answer, _json("PATCH", url, bearer, body), fallback, urls.fallback)


def _plivo(account: Account, number: str, urls: Urls) -> Pointing:
    auth_id = account.needed("auth_id")
    basic = _basic(auth_id, account.needed("auth_token"))
    url = f"{account.settings.api_url}/v1/Account/{_segment(auth_id)}/Number/{number.removeprefix('+')}/"
    path = str(_read((yield HttpRequest("GET", url, basic, repeatable=True))).get("application") or "")
    if not path:
        raise InputError(f"{number} has no application: assign it to an XML application in the console first")
    application = _read((yield HttpRequest("GET", account.settings.api_url + path, basic, repeatable=True)))
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
    request = _json("POST", account.settings.api_url + path, basic, body)
    return Change(what, before, urls.answer, request, fallback, urls.fallback)


def _vonage(account: Account, number: str, urls: Urls) -> Pointing:
    application_id = account.needed("application_id")
    basic = _basic(account.needed("api_key"), account.needed("api_secret"))
    query = urlencode({"pattern": number.removeprefix("+"), "search_pattern": "0"})
    found = _read(
        (yield HttpRequest("GET", f"{account.settings.rest_url}/account/numbers?{query}", basic, repeatable=True))
    )
    numbers = [entry for entry in found.get("numbers") or [] if entry.get("msisdn") == number.removeprefix("+")]
    if not numbers:
        raise InputError(f"{number} is not a number of this account")
    if numbers[0].get("app_id") != application_id:
        raise InputError(f"{number} is not linked to application {application_id}: link it in the dashboard first")
    url = f"{account.settings.api_url}/v2/applications/{_segment(application_id)}"
    application = _read((yield HttpRequest("GET", url, basic, repeatable=True)))
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
    return Change(what, before, urls.answer, _json("PUT", url, basic, body), fallback, urls.fallback)


POINTINGS: Mapping[str, Callable[[Account, str, Urls], Pointing]] = {
    "twilio": _twilio,
    "telnyx": _telnyx,
    "plivo": _plivo,
    "signalwire": _signalwire,
    "vonage": _vonage,
}
"""For each provider that can be pointed: from the account, the number and the URLs that it is to have."""

BY_HAND: Mapping[str, str] = {
    "cloudonix": "Set the application's CXML URL to {answer} (POST).",
    "exotel": "In the Voicebot applet, enter {answer} as the URL, or {stream} with credentials.",
    "vobiz": "In the XML application of the number, enter {answer} as the answer URL and {status} as the hang-up URL.",
    "genesys": "In the Audio Connector integration, enter {stream} as base URI, with API key and client secret.",
    "acs": "In the resource's events, subscribe IncomingCall with the web hook {answer}?secret=<{secret}>.",
    "bandwidth": "In the voice application, enter {answer} as call-initiated callback and {status} as status callback.",
    "jambonz": "In the application, enter {answer} as the calling webhook and {status} as the call status webhook.",
    "asterisk": "In websocket_client.conf, enter {stream} as the uri, protocols = media, with username and password.",
}
"""The instructions for providers that have no API for it."""


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def _json(method: str, url: str, headers: Mapping[str, str], body: object) -> HttpRequest:
    return HttpRequest(method, url, {**headers, "Content-Type": "application/json"}, json_bytes(body), repeatable=True)


def _read(body: bytes) -> dict[str, Any]:
    try:
        read = msgspec.json.decode(body)
    except msgspec.DecodeError:
        read = None
    if not isinstance(read, dict):
        raise GatewayError("the provider's API answered with something that is no JSON object")
    return read


def point(name: str, settings: ProviderSettings, number: str, urls: Urls) -> Pointing:
    """Return the pointing of an account at a provider of ``POINTINGS``; ``name`` is the account's or the provider's.

    Raises ``InputError`` for what is not set or not there, ``GatewayError`` for an answer that cannot be read.
    """
    try:
        return (yield from POINTINGS[provider_of(name, settings)](Account(name, settings), number, urls))
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise GatewayError(f"the provider's API answered otherwise than it documents: {error!r}") from error


def _segment(text: str) -> str:
    """Return an id as a segment of a path. Raises InputError where it cannot be one."""
    try:
        return segment(text)
    except ValueError as error:
        raise InputError(f"the id {text[:40]!r} {error}: expected one as the provider's console shows it") from None
