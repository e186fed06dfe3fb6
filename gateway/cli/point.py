"""``gateway point``: sets a number's webhook to this gateway, or prints how to set it by hand."""

import argparse
import os
import re

from gateway.addresses import E164, read
from gateway.cli.accounts import provider_named
from gateway.cli.loop import run
from gateway.cli.starting.options import add_config_option
from gateway.config import load_deployment
from gateway.config.providers import ProviderSettings, settings_of
from gateway.config.reading.environment import variable_of
from gateway.errors import GatewayError, InputError
from gateway.logs.redaction import Redactor, secrets_in
from gateway.phone.pointing import ByHand, Pointing, Urls
from gateway.rest import CallControl, CallControlError
from gateway.served import make_provider
from gateway.text import one_line

POINT_LIMIT_S = 15.0
"""The limit of all requests that find a number; nobody waits on the phone meanwhile."""


def add_point(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway point``."""
    parser.add_argument("provider", help="a provider, or the name of one of several accounts in gateway.yaml")
    parser.add_argument("number", help="the number, in international format: +14255550100")
    add_config_option(parser)
    parser.add_argument("--line", metavar="NAME", help="name the line in the webhook's path, whatever number it has")
    parser.add_argument(
        "--fallback",
        metavar="URL",
        help="what the provider asks where this gateway does not answer, such as a document of its own that dials "
        "(default: the webhook again)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be changed, and change nothing")
    parser.set_defaults(run=lambda options: run(_point(options)))


async def _point(options: argparse.Namespace) -> int:
    provider = provider_named(options.provider, options.config)
    deployment = load_deployment(options.config, os.environ)
    number = _number(options.number, deployment.providers.accounts.get(options.provider))
    public_url = deployment.require_public_url()
    line = f"/{options.line}" if options.line else ""
    answer_url = f"{public_url}/answer/{options.provider}{line}"
    status_url = f"{public_url}/status/{options.provider}"
    settings = deployment.providers.accounts.get(options.provider) or settings_of(provider)()
    pointing = make_provider(options.provider, settings, public_url).pointing
    if isinstance(pointing, ByHand):
        stream = public_url.replace("http", "ws", 1) + f"/stream/{options.provider}{line or '/<line>'}"
        secret = variable_of(options.provider, "stream_secret")
        print(pointing.instructions.format(answer=answer_url, status=status_url, stream=stream, secret=secret))
        return 0
    urls = Urls(answer_url, status_url, _fallback(options.fallback) or answer_url)
    try:
        return await _change(pointing.point(number, urls), options.dry_run)
    except CallControlError as error:
        raise GatewayError(f"{error}: {error.answer}" if error.answer else str(error)) from None


async def _change(pointing: Pointing, dry_run: bool) -> int:
    async with CallControl() as control:
        change = await control.follow(pointing, POINT_LIMIT_S)
        shown = Redactor(secrets_in(os.environ))  # a webhook's URL may have a user and a password
        before, after = one_line(shown.text(change.before)) or "(nothing)", shown.text(change.after)
        print(f"{one_line(change.what)}\n  before: {before}\n  after:  {after}")
        fallback = one_line(shown.text(change.fallback_before)) or "(nothing)"
        print(f"  fallback before: {fallback}\n  fallback after:  {shown.text(change.fallback_after)}")
        if unfit := change.unfit_codecs:
            print(
                f"  codecs: {', '.join(unfit)} cannot be used: set them to {' and '.join(change.usable_codecs)} alone"
            )
        if dry_run:
            print("dry run: nothing was changed")
        elif not change.is_needed:
            print("it points here already")
        else:
            await control.perform([change.request])
            print("changed")
    return 0


def _fallback(text: str | None) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise InputError(f"--fallback: {text} is no URL, expected such as https://example.com/fallback.xml")
    return text or ""


def _number(text: str, section: ProviderSettings | None) -> str:
    """Return the number to point, in international format; without country code it is read by the account's region."""
    number = read(text, section.region or "" if section else "")
    if not re.fullmatch(E164, number):
        raise InputError(f"{text} is not a number in international format, expected such as +14255550100")
    return number
