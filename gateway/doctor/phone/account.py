"""Looks at one account: its settings and proofs, the public URL, the clock, its credentials, its numbers."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aiohttp
from msgspec import Struct

from gateway.addresses import E164
from gateway.config import Deployment, Line
from gateway.config.providers import ProviderSettings, provider_of
from gateway.config.reading.environment import variable_of
from gateway.config.telling.origins import Origin
from gateway.doctor.phone.webhook import codecs_row, webhook_row
from gateway.doctor.row import Outcome, Row, failed, fine, unclear
from gateway.doctor.way.address import address_of
from gateway.doctor.way.clock import compared
from gateway.doctor.way.public_url import public_url_checked
from gateway.errors import GatewayError, InputError
from gateway.phone import providers
from gateway.phone.pointing import ByApi, ByHand, Change, Urls
from gateway.phone.provider import Setup
from gateway.rest import CallControl, CallControlError

LIMIT_S = 15.0
"""The limit of all requests that find one number."""
_NOT_ADMITTED = (401, 403)


class Account(Struct, frozen=True):
    """An account of a deployment, by its name in ``gateway.yaml``."""

    name: str
    deployment: Deployment
    lines: Sequence[Line]
    settings: Sequence[Origin]
    """Its settings with their origins."""

    @property
    def about(self) -> str:
        """The name of the account in a row."""
        return f"phone {self.name}"

    @property
    def section(self) -> ProviderSettings:
        """Its section of ``gateway.yaml``."""
        return self.deployment.providers.accounts[self.name]

    @property
    def numbers(self) -> list[str]:
        """The numbers of all lines in international format."""
        found = (number for line in self.lines for number in line.settings.numbers)
        return list(dict.fromkeys(number for number in found if re.fullmatch(E164, number)))


async def account_checked(
    account: Account, http: aiohttp.ClientSession, now_s: Callable[[], float], tell: Callable[[Row], None]
) -> None:
    """Look at an account, and tell each row as it is found."""
    for row in _settings(account):
        tell(row)
    public_url = account.deployment.public_url
    if public_url is None:
        detail = "public_url is not set, so that the provider reaches nothing"
        remedy = "set public_url in gateway.yaml, or GATEWAY_PUBLIC_URL"
        tell(Row("public_url", Outcome.CONFIGURATION, detail, remedy, account.about))
        return
    for row in await public_url_checked(http, public_url, account.name):
        tell(row)
    if api_url := getattr(account.section, "api_url", None):
        tell(await compared(http, address_of(api_url), account.about, now_s))
    for row in await _pointed(account, public_url):
        tell(row)


def _settings(account: Account) -> Iterator[Row]:
    for one in account.settings:
        if one.is_set:
            yield fine(one.key, f"{one.value} ({one.origin})", account.about)
    section = account.section
    missing = [key for key in section.proofs if not getattr(section, key)]
    if missing:
        names = " and ".join(variable_of(account.name, key) for key in missing)
        detail = f"{' and '.join(missing)} not set: nothing proves that a request is the provider's, and it is refused"
        yield failed("proof", detail, f"set {names}", account.about)
    elif section.proofs:
        yield fine("proof", f"by {' and '.join(section.proofs)}", account.about)


async def _pointed(account: Account, public_url: str) -> list[Row]:
    about, section = account.about, account.section
    answer_url = f"{public_url}/answer/{account.name}"
    status_url = f"{public_url}/status/{account.name}"
    setup = Setup(account.name, answer_url, lambda: 0.0)
    pointing = providers.make(provider_of(account.name, section), section, setup).pointing
    if isinstance(pointing, ByHand):
        stream = public_url.replace("http", "ws", 1) + f"/stream/{account.name}/<line>"
        secret = variable_of(account.name, "stream_secret")
        by_hand = pointing.instructions.format(answer=answer_url, status=status_url, stream=stream, secret=secret)
        return [unclear("webhook", "the provider has no API that tells it", by_hand, about)]
    if not account.numbers:
        detail = "no line names a number, so that none can be looked up"
        return [unclear("webhook", detail, f"gateway point {account.name} NUMBER --dry-run shows one", about)]
    async with CallControl() as control:
        return await _looked_up(account, pointing, Urls(answer_url, status_url, answer_url), control)


async def _looked_up(account: Account, pointing: ByApi[Any], urls: Urls, control: CallControl) -> list[Row]:
    about = account.about
    rows: list[Row] = []
    foreign: list[str] = []
    found: list[tuple[str, Change]] = []
    for number in account.numbers:
        try:
            found.append((number, await control.follow(pointing.point(number, urls), LIMIT_S)))
        except InputError as error:
            if "is not a number of this account" in str(error):
                foreign.append(number)
                continue
            rows.append(failed("number", str(error), "correct it, and try again", about))
            if "is not set" in str(error):
                return rows
        except CallControlError as error:
            return [*rows, _refused(error, about)]
        except GatewayError as error:
            return [*rows, unclear("number", str(error), "look at the number in the provider's portal", about)]
    rows.insert(0, fine("credentials", "the provider's API admits them", about))
    for number, change in found:
        remedy = f"gateway point {account.name} {number}"
        rows.append(webhook_row(change, urls.answer, [line.name for line in account.lines], remedy, about))
        if (codecs := codecs_row(change, about)) is not None:
            rows.append(codecs)
    return [*rows, *_foreign(account, foreign, is_any_ours=bool(found))]


def _foreign(account: Account, numbers: Sequence[str], *, is_any_ours: bool) -> Iterator[Row]:
    """Yield the numbers that the account does not have: those of other accounts, unless there is none."""
    is_alone = len(account.deployment.providers.accounts) == 1
    for number in numbers:
        detail = f"{number} is not a number of this account"
        if is_alone or not is_any_ours:
            remedy = "correct the line's numbers, or the account's credentials"
            yield failed("number", detail, remedy, account.about)
        else:
            yield fine("number", f"{detail}; another one may have it", account.about)


def _refused(error: CallControlError, about: str) -> Row:
    detail = f"{error}: {error.answer}" if error.answer else str(error)
    if error.status in _NOT_ADMITTED:
        return failed("credentials", detail, "use the credentials that the provider's portal shows", about)
    if error.refused and error.status < 500 and error.status != 429:
        return failed("number", detail, "look at the number in the provider's portal", about)
    return unclear("number", detail, "try again later", about)
