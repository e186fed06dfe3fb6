"""``gateway providers``: lists the capabilities that each provider declares."""

import argparse
import sys
from collections.abc import Iterable

from rich.console import Console

from gateway.cli.tables import drawn
from gateway.config.providers import settings_of
from gateway.logs.outlet import styled_output
from gateway.phone.provider import Provider, Traits
from gateway.phone.providers import PROVIDERS
from gateway.served import make_provider

HEAD = (
    "provider",
    "codecs",
    "clear",
    "playback confirmed by",
    "keys in",
    "keys out",
    "hang-up",
    "transfer",
    "when full",
)
KEYS = ("webhook signature", "stream key")
UNSURE = " ¹"
LEGEND = "¹ not everything about it is confirmed; the pages in docs/providers say what, and how calls are proven"


def add_providers(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway providers``."""
    parser.set_defaults(run=_providers)


def _providers(options: argparse.Namespace) -> int:
    if sys.stdout.isatty():
        console = Console(file=styled_output(), emoji=False, markup=False, highlight=False)
        # A terminal has no room for how calls are proven; the provider pages say it.
        console.print(drawn(HEAD, [_row(provider.traits)[: len(HEAD)] for provider in everyone()], console))
        console.print(LEGEND)
    else:
        print(table(everyone()), end="")
    return 0


def everyone() -> list[Provider]:
    """Return every provider that can be served, without an account."""
    return [make_provider(name, settings_of(name)()) for name in PROVIDERS]


def table(providers: Iterable[Provider]) -> str:
    """Return the Markdown table of ``docs/providers.md``."""
    rows = [(*HEAD, *KEYS), ("---",) * (len(HEAD) + len(KEYS))]
    for provider in providers:
        title, *cells = _row(provider.traits)
        name, mark = title.removesuffix(UNSURE), UNSURE if title.endswith(UNSURE) else ""
        rows.append((f"[{name}](providers/{provider.name}.md){mark}", *cells))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(traits: Traits) -> tuple[str, ...]:
    title = traits.title + (UNSURE if traits.unsure else "")
    codecs = ", ".join(f"{f.encoding.value.upper()} {f.rate_hz // 1000}k" for f in traits.formats)
    return (
        title,
        codecs,
        "yes" if traits.clears else "no",
        traits.confirmation.value,
        "yes" if traits.keys_in else "no",
        traits.keys_out or "no",
        traits.hang_up or "no",
        traits.transfer or "no",
        ", ".join(traits.when_full) or "no",
        traits.signature or "none",
        traits.stream_key or "none",
    )
