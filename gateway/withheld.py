"""Callers who do not tell their number, in the many ways in which providers write that. Pure."""

import re

from gateway.addresses import is_valid, taken_apart

REASONS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld")
"""Words that stand in place of a number."""
NOT_GIVEN = "missing"
"""The reason where the provider gives no caller at all."""

_OTHER_WORDS = {
    "hidden": "withheld",
    "nocallerid": "withheld",
    "none": "unknown",
    "nonumber": "unknown",
    "notavailable": "unavailable",
    "null": "unknown",
    "numberwithheld": "withheld",
    "outofarea": "unavailable",
    "privatecaller": "private",
    "privatenumber": "private",
    "unknowncaller": "unknown",
    "unknownnumber": "unknown",
}
_LETTERS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
_KEYS = {letter: key for key, letters in _LETTERS.items() for letter in letters}
_KEYED = {"".join(_KEYS[letter] for letter in word): word for word in REASONS}
"""The words as they are keyed on a phone: providers that pass on digits alone send these (ITU-T E.161)."""


def withheld(caller: str) -> str:
    """Return why an address names no caller, one of ``REASONS`` or ``NOT_GIVEN``; nothing where it names one."""
    address = taken_apart(caller)
    word = re.sub(r"[^a-z0-9]", "", address.user.lower())
    if address.host.endswith(".invalid"):  # RFC 3323 §4.1: sip:anonymous@anonymous.invalid
        return word if word in REASONS else "anonymous"
    if word in REASONS:
        return word
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    if word in _KEYED:
        return _KEYED[word]
    if word[:1] == "1" and word[1:] in _KEYED and not is_valid(f"+{word}"):
        return _KEYED[word[1:]]
    return "" if word.strip("0") else NOT_GIVEN
