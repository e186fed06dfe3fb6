"""The voices of Azure text to speech that are documented, and the languages that they speak.

New voices appear often, so a voice that is not listed here may exist.
"""

import difflib
import functools
import re
from importlib.resources import files

_OMNI = ":DragonHDOmniLatestNeural"
"""Follows the name of any voice."""
_SPEAKS_MORE = re.compile(r"Multilingual|:DragonHD|:MAI-Voice|Indic")
"""Parts of the names of voices that also speak other languages than their own."""
_LOCALE = re.compile(r"([a-z]{2,3})-(?:[A-Za-z]{4}-)?[A-Z]{2}(?=-)", re.IGNORECASE)


@functools.cache
def voices() -> dict[str, str]:
    """Return the documented voices by their names in lower case."""
    text = files("gateway.config.line").joinpath("azure_voices.txt").read_text("utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            locale, *names = line.split()
            found |= {f"{locale}-{name}Neural".lower(): f"{locale}-{name}Neural" for name in names}
    return found


@functools.cache
def locales() -> dict[str, tuple[str, ...]]:
    """Return the locales of the documented voices by their language, such as ``de``."""
    found: dict[str, set[str]] = {}
    for name in voices().values():
        if locale := _LOCALE.match(name):
            found.setdefault(locale[1].lower(), set()).add(locale[0])
    return {language: tuple(sorted(known)) for language, known in found.items()}


def is_documented(name: str) -> bool:
    """Return ``True`` if a voice of this name is documented."""
    known = voices()
    name = name.lower()
    persona = name.removesuffix(_OMNI.lower())
    return name in known or (name != persona and f"{persona}neural" in known) or ":mai-voice-" in name


def nearest(name: str) -> str:
    """Return the documented voice whose name is nearest; nothing if none is near."""
    name = name.replace("_", "-")
    persona = name.lower().removesuffix("neural").removesuffix("multilingual")
    called = sorted((known for known in voices() if _persona(known) == persona.rpartition("-")[2]), key=len)
    if "-" in persona:  # a Seraphina of Germany is not one of Austria
        called = [known for known in called if known.startswith(persona)]
    if called:
        return voices()[min(called, key=lambda known: name.lower() not in known)]
    begun = sorted((known for known in voices() if known.startswith(name.lower())), key=len)  # such as en-US-Ava
    near = begun or difflib.get_close_matches(name.lower(), voices(), n=1, cutoff=0.8)
    return voices()[near[0]] if near else ""


def _persona(name: str) -> str:
    """Return the persona of a voice: ``katja`` of ``de-de-katjaneural``."""
    return name.rpartition("-")[2].removesuffix("neural").removesuffix("multilingual")


def language_of(name: str) -> str:
    """Return the one language that a voice speaks, such as ``de``; nothing if it speaks several."""
    locale = _LOCALE.match(name)
    return "" if locale is None or _SPEAKS_MORE.search(name) else locale[1].lower()
