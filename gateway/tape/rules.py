"""Names and forms of texts that may stand on a tape as they are; ``redaction`` replaces all others. Pure."""

import enum
import re

from azure.ai.voicelive import models

from gateway.tape.form import KIND_NAMES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXTS = _words(
    """instructions text transcript delta output prompt description say content phrase_list greeting title_text
    callername calleridname aniname fromcity fromstate fromzip tocity tostate tozip callercity callerstate callerzip
    calledcity calledstate calledzip client_state clientstate extra_headers extraheaders tag"""
)
"""Members whose texts people or operators made, whatever stands in them."""
PRIVATE = _words(
    """arguments customparameters custom_parameters customdata customerdata inputvariables
    outputvariables streamparams channel_variables tool headers query environment customconfig"""
)
"""Members in which all texts, and all numbers of more than one digit, are the operator's or the caller's."""
KEYS = frozenset({"digit", "digits", "dtmf"})
KEY = re.compile("[0-9*#A-D]")
"""A key of a phone, in a member that is named ``key``."""
SECRETS = re.compile(
    r"secret|token|passw|signature|credential|authorization|api[-_]?key|jwt|bearer|^sig$|^auth$|cookie"
)
NOT_SECRETS = re.compile(r"tokens$|_tokens_|token_details")
"""Counts of the model's tokens."""
COUNTERS = _words(
    """sequencenumber sequence_number chunk timestamp samplerate sample_rate rate channels bit_rate duration seq
    serverseq clientseq ptime optimal_frame_size length version streamsequence callduration recordingduration
    content-length max-forwards retry-after sec-websocket-version queue_length expires_at created"""
)
"""Members that count or measure: their digits are no person's."""
VERBATIM = frozenset({"message", "reason", "info", "title", "detail", "error_text", "failure", "error", "status_text"})
"""Members in which a peer says in words what is wrong: kept word for word, without what it quotes of people."""
TOKENS = frozenset(map(str.lower, KIND_NAMES)) | _words(
    """object status code param role encoding format verb track tracks
    contenttype content-type protocol direction callstatus streamevent state model voice name_type mixtype upgrade
    connection accept accept-encoding sec-websocket-protocol sec-websocket-extensions user-agent refused by reason_code
    playback source channels channel_type stream mode bidirectionalmode bidirectionalcodec"""
)
"""Members whose values are words of the protocol, known or not; a new one is what a tape is for."""
IDS = re.compile(r"(?:^|_|-)(?:id|sid|uuid|guid|gid|rid)$|(?:[a-z])(?:Id|ID|Sid|SID|Uuid|UUID|RawID)$|^(?:id|ID)$")
HEADERS = _words(
    """accept accept-encoding cache-control connection content-encoding content-length content-type date
    retry-after sec-websocket-extensions sec-websocket-protocol sec-websocket-version server transfer-encoding upgrade
    user-agent vary"""
)
"""Headers that are kept; of all others the name and the length."""

TOKEN = re.compile(r"[A-Za-z][\w.:;=/+-]{0,63}")
WORD = re.compile(r"[a-z]{1,20}(?:[_.-][a-z]{1,20}){1,6}")
"""A word of a program, of two parts at least; no caller speaks so."""
NAME = re.compile(r"[A-Za-z_$@][\w.$@:-]{0,60}")
PLAIN_NAME = re.compile(r"[A-Za-z_](?:[A-Za-z_-]{0,39})\d{0,2}[A-Za-z_-]{0,20}")
MARK = re.compile(r"g\d{1,5}-\d{1,6}|request-\d{1,6}")
"""The names that the gateway gives to marks, and the ids that it gives to its messages."""
TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?|P(?:\d+D)?T?[\d.HMS]*"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d (?:GMT|\+0000)"
)
PRODUCT = re.compile(r"[A-Za-z][A-Za-z._-]{0,39}/\d{1,4}(?:\.\d{1,4}){0,3}")
"""A program and its version, as in User-Agent (RFC 9110 §10.1.5)."""
VERSION = re.compile(r"\d{1,3}(?:\.\d{1,4}){1,3}")
FORMAT = re.compile(
    r"(?:audio/)?(?:x-)?(?:pcm[au]?|l16|lpcm|linear(?:-?16)?|slin|[mu]-?law|alaw|a-law|mulaw|g711_?[au]?law)"
    r"(?:[/;] ?(?:rate=)?\d{4,5})?(?:; ?channels=\d)?",
    re.IGNORECASE,
)
"""A format of audio, as providers spell it: ``pcmu/8000``, ``audio/l16;rate=16000``."""
VOICE = re.compile(r"[a-z]{2,3}-[A-Z]{2}-[A-Za-z0-9]+(?::[A-Za-z0-9]+)?Neural[A-Za-z0-9]*")
MODEL = re.compile(r"(?:gpt|phi4?|azure|whisper|mai|o\d|grok|deepseek|llama)[\w.-]{0,40}")
LANGUAGE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
URL = re.compile(r"(?P<scheme>https?|wss?)://(?P<host>[^/?#\s]*)(?P<path>[^?#\s]*)(?:\?(?P<query>[^#\s]*))?(?:#\S*)?")
SIP = re.compile(r"(?P<scheme>sips?|tel):(?P<rest>\S+)", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
NUMBER = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().-]{5,18}\d(?![\w.]*\w)")
DIGITS = re.compile(r"\+?[\d\s().\-/]{7,}")
UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
LONG_ID = re.compile(r"(?=\S*\d)[A-Za-z0-9][\w:@./-]{9,}")
API_HOSTS = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:twilio|telnyx|plivo|vobiz|nexmo|vonage|bandwidth|exotel|cloudonix)\.(?:com|ai|io|in|net)"
)
"""Hosts of the providers' public APIs. A host with a customer's name in it (SignalWire, Azure) is not among them."""


def _values() -> frozenset[str]:
    enums = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, enum.Enum)]
    people = "Voice|Character|Photo"  # voices and avatars have first names, which callers have too
    kept = [kind for kind in enums if not re.search(people, kind.__name__) or kind is models.OpenAIVoiceName]
    values: list[enum.Enum] = [member for kind in kept for member in kind.__members__.values()]
    return frozenset(str(each.value) for each in values)


VOCABULARY = _values() | _words(
    """inbound outbound both mono stereo true false OK PCM PCMU PCMA L16 none null ringing in-progress completed busy
    external internal session gateway caller service provider bot realtime.session realtime.item realtime.response
    audio/x-mulaw audio/x-alaw audio/x-l16 audio/x-raw audio/pcmu ulaw alaw slin slin16 slin24 inbound_track Call
    GET POST PUT auto inf"""
)
"""Values of the SDK's enumerations, and words that the providers' documents use as values."""
