"""Sets the webhook of a number at Twilio ("IncomingPhoneNumber resource"). Pure."""

from gateway.config import providers as settings
from gateway.phone.dialects.twilio.pointing import find_number
from gateway.phone.pointing import Account, Pointing, Urls, id_segment


def find(account: Account[settings.Twilio], number: str, urls: Urls) -> Pointing:
    """Find a number of the account."""
    sid = account.needed("account_sid")
    base = f"{account.settings.api_url}/2010-04-01/Accounts/{id_segment(sid)}"
    return (yield from find_number(base, sid, account.needed("auth_token"), number, urls))
