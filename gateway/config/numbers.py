"""Finds the line that a called number belongs to, among the phone numbers of all lines. Pure."""

import re
from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo

from gateway.addresses import E164, REGIONS, is_valid, plain, read, readings, region_of

T = TypeVar("T")

ANY_NUMBER = "*"

_AS_SENT = r"0[0-9]{2,14}|[0-9]{1,6}"
"""Numbers that providers send as they are dialled: one with its trunk prefix, an extension."""
_SIP = r"sips?:[^\s@]+@[^\s@]+"
_WRITTEN = r"\+?\(?[0-9][0-9\s().\-/]*"


def _region(text: str) -> str:
    if (code := text.upper()) in REGIONS:
        return code
    hint = ", did you mean GB?" if code == "UK" else ""
    raise ValueError(f"is not a country{hint or ', expected two letters such as DE or US'}")


Region = Annotated[str, AfterValidator(_region), Field(json_schema_extra={"pattern": "^[A-Za-z]{2}$"})]
"""A country, by the two letters of ISO 3166-1."""


def _phone_number(text: str, info: ValidationInfo) -> str:
    text = plain(text)
    if text == ANY_NUMBER or re.fullmatch(E164, text):
        return str(text)
    if re.fullmatch(_SIP, text, re.IGNORECASE):
        return read(text)
    region = info.data.get("region") or info.context or ""
    number = read(text, region) if re.fullmatch(f"{_WRITTEN}|tel:.+", text, re.IGNORECASE) else ""
    is_number = bool(re.fullmatch(E164, number))
    if is_number and region:
        return number
    if re.fullmatch(_AS_SENT, text):
        return str(text)
    if is_number and is_valid(number):
        raise ValueError(f"is not a phone number in international format, write {number}")
    if re.fullmatch(r"\(?[0-9][0-9\s().\-/]{8,}", text) and not region:
        raise ValueError(
            "is not a phone number in international format: its country code is missing, expected such as "
            "+14255550100, or the country beside numbers, such as region: US"
        )
    where = f" or as it is written in {region}" if region else ""
    raise ValueError(f"is not a phone number in international format{where}, expected such as +14255550100")


_SIGN = r"[\s().\-/]*"
_FOR_EDITORS = rf"\+?\(?[0-9]({_SIGN}[0-9]){{7,14}}|\(?0({_SIGN}[0-9]){{2,14}}|[0-9]{{1,6}}|[tT][eE][lL]:.+|{_SIP}|\*"
"""The pattern for editors; it cannot check a number fully, because a schema does not know the region."""
PhoneNumber = Annotated[str, AfterValidator(_phone_number), Field(json_schema_extra={"pattern": f"^({_FOR_EDITORS})$"})]
"""A number that a provider calls the line by."""


def own_number(called: str, numbers: Iterable[str], region: str = "") -> str:
    """Return which of a line's ``numbers`` was called, in any spelling; else the called number in standard form."""
    known = [number for number in numbers if number != ANY_NUMBER]
    for country in dict.fromkeys((region, *map(region_of, known))):
        spellings = set(readings(called, country))
        for number in known:
            if number in spellings or not spellings.isdisjoint(readings(number, country)):
                return number
    return read(called, region)


class NumberPlan(Generic[T]):
    """Maps each number to its owner; the owner's region may be empty."""

    def __init__(self, numbers: Iterable[tuple[str, T, str]]) -> None:
        self._owners: dict[str, T] = {}
        self._countries: dict[str, set[str]] = {}
        self._as_sent: list[str] = []
        for number, owner, region in numbers:
            self._owners[number] = owner
            for country in {region, region_of(number)} - {""}:
                self._countries.setdefault(country, set()).add(number)
            if number[:1].isdigit():
                self._as_sent.append(number)

    def find(self, called: str, region: str = "") -> T | None:
        """Return the owner of a called number, in any spelling, else of ``ANY_NUMBER``.

        The spelling is read by the rules of ``region``. If that finds no owner, it is read by the rules of the
        countries of all known numbers, because one of them was called. If several numbers fit then, none counts.
        """
        spellings = readings(called, region)
        for spelling in spellings:
            if spelling in self._owners:
                return self._owners[spelling]
        for number in self._as_sent if region else ():
            if not set(spellings).isdisjoint(readings(number, region)):
                return self._owners[number]
        found = {
            number
            for country, numbers in self._countries.items()
            for number in numbers.intersection(readings(called, country))
        }
        if len(found) == 1:
            return self._owners[found.pop()]
        return self._owners.get(ANY_NUMBER)
