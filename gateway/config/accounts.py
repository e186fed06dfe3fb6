"""Checks the accounts under ``providers:`` and fills in their variables, before they are validated."""

from collections.abc import Mapping
from typing import Any

from gateway.config.providers import ACCOUNT_NAME, Providers, settings_of, variables_of
from gateway.config.reading.document import Document
from gateway.config.reading.environment import OLD, FromEnvironment, first_set
from gateway.config.reading.problems import KeyPath, suggestion
from gateway.config.secrets import may_be_two
from gateway.text import unfit

_KNOWN = tuple(Providers.model_fields)
_HOW = " (an account under a name of its own says whose it is: provider: twilio)"


def check_accounts(document: Document) -> None:
    """Refuse sections whose name is not allowed, or that do not name their provider."""
    for name, section in _written(document):
        path: KeyPath = ("providers", name)
        if document.is_broken(path):
            continue
        said = section.get("provider") if isinstance(section, dict) else None
        if name in _KNOWN:
            if said not in (None, name):
                document.refuse((*path, "provider"), f"{name} is an account at {name}: give this one another name")
        elif said is None:
            is_misspelt = suggestion(name, _KNOWN).startswith("did") and name.partition("-")[0] not in _KNOWN
            document.refuse(path, f"unknown key, {suggestion(name, _KNOWN)}{'' if is_misspelt else _HOW}")
        elif not ACCOUNT_NAME.fullmatch(name):
            document.refuse(path, "is not fit for a name, expected such as twilio-eu: a-z, 0-9 and single hyphens")
        elif said not in _KNOWN:
            _refuse_provider(document, path, said)


def supply_accounts(document: Document, environ: Mapping[str, str]) -> None:
    """Set the keys that the file leaves out to the values of their variables."""
    for name, section in _written(document):
        provider = section.get("provider", name) if isinstance(section, dict) else name
        if provider not in _KNOWN:
            continue
        fields = settings_of(provider).model_fields
        for key, variable in variables_of(name, provider).items():
            path = ("providers", name, key)
            supply(document, path, (variable,), environ, takes_two=may_be_two(fields[key].annotation))


def supply(
    document: Document, path: KeyPath, variables: tuple[str, ...], environ: Mapping[str, str], *, takes_two: bool
) -> None:
    """Set a key to the value of the first variable that is set; where it takes two, add that of ``<NAME>_OLD``."""
    value = first_set(environ, variables)
    if value is None:
        return
    old = first_set(environ, tuple(name + OLD for name in variables)) if takes_two else None
    is_taken = document.supply(path, value if old is None else [value, old])
    for each in (value, old):
        if is_taken and each is not None and (problem := unfit(each)):
            document.refuse(path, f"environment variable {each.origin} holds {problem}, expected text")


def _written(document: Document) -> list[tuple[str, Any]]:
    sections = document.data.get("providers")
    return list(sections.items()) if isinstance(sections, dict) else []


def _refuse_provider(document: Document, path: KeyPath, said: Any) -> None:
    hint = suggestion(said, _KNOWN) if isinstance(said, str) else "expected a provider's name"
    shown = (
        "this" if not isinstance(said, str) else "its value" if isinstance(said, FromEnvironment) else repr(said[:40])
    )
    document.errors.append(document.error((*path, "provider"), f"{shown} is no provider, {hint}"))
    document.broken.add(path)
