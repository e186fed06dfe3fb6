"""``gateway providers``: what each provider can do, from its own declaration."""

import argparse
from collections.abc import Iterable
from typing import Any

from gateway.app import PROVIDERS, make_provider
from gateway.config.providers import settings_of
from gateway.phone.provider import Provider, Traits

HEAD = ("provider", "codecs", "clear", "playback confirmed by", "keys in", "keys out", "hang-up", "transfer")
KEYS = ("webhook signature", "stream key")


def add_providers(commands: Any) -> None:
    """``gateway providers``."""
    parser = commands.add_parser("providers", help="print what each phone provider can do, as a Markdown table")
    parser.set_defaults(run=_providers)


def _providers(options: argparse.Namespace) -> int:
    print(table(everyone()), end="")
    return 0


def everyone() -> list[Provider]:
    """Every provider that can be served, without an account."""
    return [make_provider(name, settings_of(name)()) for name in PROVIDERS]


def table(providers: Iterable[Provider]) -> str:
    """The Markdown table of ``docs/providers.md``."""
    rows = [(*HEAD, *KEYS), ("---",) * (len(HEAD) + len(KEYS))]
    rows += [_row(provider.name, provider.traits) for provider in providers]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(name: str, traits: Traits) -> tuple[str, ...]:
    title = f"[{traits.title}](providers/{name}.md)" + (" ¹" if traits.unsure else "")
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
        traits.signature or "none",
        traits.stream_key or "none",
    )
