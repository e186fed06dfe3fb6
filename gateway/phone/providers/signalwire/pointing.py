"""Sets the webhook of a number at SignalWire ("Compatibility API"). Pure."""

from gateway.config import providers as settings
from gateway.phone.dialects.twilio.pointing import find_number
from gateway.phone.pointing import Account, Pointing, Urls, id_segment


def find(account: Account[settings.SignalWire], number: str, urls: Urls) -> Pointing:
    """Find a number of the project."""
    project, token = account.needed("project_id"), account.needed("api_token")
    base = f"{account.needed('api_url')}/api/laml/2010-04-01/Accounts/{id_segment(project)}"
    return (yield from find_number(base, project, token, number, urls))
