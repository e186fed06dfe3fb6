"""Reads phone numbers and SIP addresses in the many ways in which they are written. Pure.

Every number that comes in is read here and nowhere else, and so is every place that a call may be transferred to.
Sources: ITU-T E.164; RFC 3261 (``sip:``), RFC 3966 (``tel:``); the numbering plans of ``phonenumbers``.
"""

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

E164 = r"\+[1-9][0-9]{6,14}"
"""A phone number in international format."""
SIP = r"[sS][iI][pP][sS]?:[^\s@<>]+@[^\s@<>]+"
"""An address of SIP; ``sips:`` asks for encryption on the whole way."""
REGIONS: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Countries and territories whose numbering plan is known (ISO 3166-1, two letters)."""

_SHORTEST = 7
"""Digits of the shortest number with a country code; fewer are an extension."""
_WITH_COUNTRY = 11
"""Digits from which on a number without a plus has a country code, even where the numbering plan lacks it."""
LONGEST = 256
"""Characters of an address at most; a longer text is none, and no pattern is tried on it."""
_SCHEME = re.compile(r"(sips?|tel):", re.IGNORECASE)
_IN_BRACKETS = re.compile(r".*<([^<>]+)>.*", re.DOTALL)
_CONTEXT = re.compile(r";phone-context=(\+[0-9.()-]+)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(\+?\(?[0-9][0-9\s().\-/]*)(?:\s*(?:;ext=|[#,;xpw]+|ext\.?|extension)\s*[0-9]+)?", re.IGNORECASE | re.ASCII
)
_SEPARATORS = re.compile(r"[\s().\-/]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")


class Address(NamedTuple):
    """The parts of an address: the user (a number or a name), the host that knows the user, and the scheme."""

    user: str
    host: str = ""
    scheme: str = ""


def plain(text: str) -> str:
    """Return an address with the ASCII form of wide digits, unusual spaces and dashes, and without invisible signs.

    Web pages and word processors write such characters. Digits of other scripts stay.
    """
    if text.isascii() or len(text) > LONGEST:
        return text
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return _DASHES.sub("-", seen)


def taken_apart(text: str) -> Address:
    """Return the user and the host of ``"Bob" <sip:bob@example.com;user=phone>``, ``tel:+1…;ext=5`` or a number."""
    text = plain(text)
    if len(text) > LONGEST:
        return Address(text)
    if match := _IN_BRACKETS.fullmatch(text):
        text = match[1]
    text = text.strip()
    scheme = _SCHEME.match(text)
    if not scheme:
        user, at, host = text.rpartition("@") if "@" in text else (text, "", "")
        user = unquote(user)
        return Address(user.partition(";")[0], host) if _NUMBER.fullmatch(user) else Address(text)
    kind, rest = scheme[1].lower(), text[scheme.end() :]
    if kind == "tel":
        context = _CONTEXT.search(rest)
        number = rest.partition(";")[0]
        return Address(context[1] + number if context and not number.startswith("+") else number, scheme=kind)
    user, at, host = rest.partition("?")[0].rpartition("@")
    if not at:  # an address of a host alone, or a number without one
        user, host = host, ""
    user = user.partition(":")[0] if at else user  # a password is no name
    return Address(unquote(user.partition(";")[0]), host.partition(";")[0].lower(), kind)


def readings(text: str, region: str = "") -> tuple[str, ...]:
    """Return what an address may mean, the likeliest first: a number in E.164, an extension, ``sip:user@host``, a name.

    ``region`` is the country whose habits of writing are meant where no country code is given; empty where that is
    not known. No digits are made up: those that fit no numbering plan stay as they are. Empty for an empty text.
    """
    if len(text) > LONGEST:
        return (text,)
    address = taken_apart(text)
    number = _NUMBER.fullmatch(address.user)
    if number:
        digits = _SEPARATORS.sub("", number[1])
        return tuple(dict.fromkeys((*_numbers(digits, region), digits)))
    if address.scheme in ("sip", "sips") and address.host:
        return (f"sip:{address.user}@{address.host}",)
    return (address.user,) if address.user else ()


def load_countries() -> None:
    """Load what is known of the numbers of all countries; else the first number of each loads it, in a call."""
    phonenumbers.PhoneMetadata.load_all()


def read(text: str, region: str = "") -> str:
    """Return the likeliest of :func:`readings`; an empty text for an empty one."""
    return next(iter(readings(text, region)), "")


def _numbers(digits: str, region: str) -> tuple[str, ...]:
    """Return the numbers in E.164 that digits, with or without a plus, may mean, the likeliest first."""
    bare = digits.removeprefix("+")
    if len(bare) < _SHORTEST:
        return ()
    has_country = bare.startswith("00") or (digits.startswith("+") and not bare.startswith("0"))
    abroad = _parsed(f"+{bare.lstrip('0')}", "") if has_country or not bare.startswith("0") else None
    if abroad and has_country and _is_possible(abroad):
        return (_e164(abroad),)
    home = _parsed(bare, region) if region else None
    is_national = home is not None and _is_national(home, bare, region)
    found = [number for number in ((home, abroad) if is_national else (abroad, home)) if number]
    known = [number for number in found if phonenumbers.is_valid_number(number)]
    known += [number for number in found if number is home or len(bare) >= _WITH_COUNTRY]
    possible = filter(_is_possible, known)
    return tuple(dict.fromkeys(map(_e164, possible)))


def _is_national(number: PhoneNumber, digits: str, region: str) -> bool:
    """Return whether digits without a plus are surely a number of ``region``, as people there write it.

    They have the trunk prefix, where one is needed, or are too few to hold a country code as well.
    """
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    is_written_so = prefix in (None, "", "1") or digits.startswith(prefix)
    is_short_mobile = len(digits) < _WITH_COUNTRY and phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    return phonenumbers.is_valid_number(number) and (is_written_so or is_short_mobile)


def _is_possible(number: PhoneNumber) -> bool:
    """Return whether the length fits, with the area code."""
    return bool(phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE)


def _parsed(digits: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region or None)
    except NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def is_valid(number: str) -> bool:
    """Return whether a numbering plan has a number in E.164."""
    parsed = _parsed(number, "")
    return parsed is not None and phonenumbers.is_valid_number(parsed)


def is_possible(number: str) -> bool:
    """Return whether the country code of a number in E.164 exists and its length fits."""
    parsed = _parsed(number, "")
    return parsed is not None and _is_possible(parsed)


def region_of(number: str) -> str:
    """Return the country of a number in E.164; an empty text where it has none."""
    parsed = _parsed(number, "") if number.startswith("+") else None
    region = phonenumbers.region_code_for_number(parsed) if parsed else None
    return region if region in REGIONS else ""


def is_sip(target: str) -> bool:
    """Return whether a target of a transfer is an address of SIP, and not a number."""
    return bool(re.match(r"sips?:", target, re.IGNORECASE))


def destination(text: str) -> str:
    """Return a target of a transfer in one form: a number in E.164, ``sip:…`` or ``sips:…``.

    Raises ``ValueError`` for anything else; the message says what was expected.
    """
    text = plain(text).strip()
    if re.fullmatch(SIP, text):
        scheme, _, rest = text.partition(":")
        return f"{scheme.lower()}:{rest}"
    is_tel = text[:4].lower() == "tel:"
    written = text[4:] if is_tel else text
    match = _NUMBER.fullmatch(written.partition(";phone-context=")[0])
    if match and match[0] != match[1]:
        raise ValueError(
            "is not a place to transfer to: nobody dials an extension behind a number, expected it without"
        )
    number = "+" + _SEPARATORS.sub("", match[1])[1:] if match and match[1].startswith("+") else ""
    if re.fullmatch(E164, number):
        return read(number)
    raise ValueError("is neither a phone number such as +14255550199 nor an address such as sip:desk@example.com")
