"""Recognises callers who withhold their number, in the many ways in which providers write that. Pure."""

import re
import unicodedata
from collections.abc import Mapping

from gateway.addresses import is_valid, taken_apart

REASONS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld")
"""Words that stand in place of a number."""
NOT_GIVEN = "missing"
"""The reason where the provider gives no caller at all."""

_OTHER_WORDS: Mapping[str, str] = {
    "anonymous": "anonym anonyme anonimo anonima anoniem anonymt anonyymi анонимный аноним 匿名 익명",
    "blocked": "bloqueado bloqueada bloque bloquee bloccato bloccata geblokkeerd blockiert gesperrt",
    "private": "privat privado privada prive privee privato privata prywatny частный приватный 私人 비공개",
    "restricted": "restringido restringida restrito restrita restreint eingeschrankt beschrankt beperkt",
    "unavailable": "notavailable outofarea na indisponible indisponivel nodisponible nichtverfugbar",
    "unknown": (
        "none null nil undefined nonumber unbekannt unbekannte unbekannter inconnu inconnue desconocido desconocida "
        "desconhecido desconhecida sconosciuto sconosciuta onbekend onbekende okand okant ukendt ukjent tuntematon "
        "nieznany neznamy ismeretlen necunoscut bilinmeyen неизвестный неизвестно неизвестен невідомий 未知 不明"
    ),
    "withheld": (
        "hidden suppressed undisclosed nocallerid noid notprovided unterdruckt unterdruckte verborgen masque masquee "
        "cache cachee oculto oculta nascosto nascosta afgeschermd dold skjult zastrzezony skryty gizli скрыт скрытый "
        "非通知"
    ),
}
"""Other words seen for each reason, in the languages of the networks that write it; no accents, no spaces."""
_OF_A_NUMBER = (
    "call caller id name number user rufnummer nummer anrufer numero appel appelant llamada llamante chamada chiamata "
    "chiamante beller nummeret numer абонент номер 番号 号码"
)
"""Words that may stand beside the reason: ``Unknown caller``."""
_BY_NETWORKS = {"p": "private", "o": "unavailable"}
"""Private and out of area, as networks of North America write it in the name's place."""


_FULL_NUMBER = 10
"""Digits from which on a 1 followed by zeros is no extension, but stands for a missing number."""


def _letters(text: str) -> str:
    """Return the letters and digits of a text, in lower case and without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if sign.isalnum())


_REASONS = {_letters(word): reason for reason in REASONS for word in (reason, *_OTHER_WORDS.get(reason, "").split())}
_BESIDE = "|".join(map(_letters, _OF_A_NUMBER.split()))
_PHRASE = re.compile(rf"(?:{_BESIDE}){{0,2}}({'|'.join(_REASONS)})(?:{_BESIDE}){{0,2}}")
_LETTERS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}
_KEYS = {letter: key for key, letters in _LETTERS.items() for letter in letters}
_KEYED = {"".join(_KEYS[letter] for letter in word): word for word in REASONS}
"""The words as they are keyed on a phone: providers that pass on digits alone send these (ITU-T E.161)."""


def withheld(caller: str) -> str:
    """Return why an address names no caller: one of ``REASONS`` or ``NOT_GIVEN``; an empty text where it names one."""
    address = taken_apart(caller)
    user, host = address.user, address.host
    if not address.scheme and not host:
        user, _, host = user.partition("@")
    word = _letters(user.partition(";")[0])
    if host.lower().rstrip(".").endswith(".invalid"):  # RFC 3323 §4.1: sip:anonymous@anonymous.invalid
        return _REASONS.get(word, "anonymous")
    if word in _BY_NETWORKS and not host:
        return _BY_NETWORKS[word]
    if phrase := _PHRASE.fullmatch(word):
        return _REASONS[phrase[1]]
    keyed = word.removeprefix("00")
    if keyed in _KEYED:
        return _KEYED[keyed]
    if keyed[:1] == "1" and keyed[1:] in _KEYED and not is_valid(f"+{keyed}"):
        return _KEYED[keyed[1:]]
    is_filler = not word.strip("0") or (len(word) >= _FULL_NUMBER and word.rstrip("0") == "1")
    return NOT_GIVEN if is_filler else ""
