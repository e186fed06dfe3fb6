"""The reasons for which a webhook, a stream or another request is turned away before it becomes a call. Pure."""

import enum

from msgspec import Struct


class Refusal(enum.StrEnum):
    """The reasons for which requests are turned away; metrics and logs carry these words."""

    FULL = "full"
    LINE_FULL = "line_full"
    LINE_RATE = "line_rate"
    CALLER_FULL = "caller_full"
    CALLER_RATE = "caller_rate"
    VOICE_FULL = "voice_full"
    VOICE_UNREACHABLE = "voice_unreachable"
    DRAINING = "draining"
    SHUT_DOWN = "shut_down"
    UNKNOWN_NUMBER = "unknown_number"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_PROVIDER = "unknown_provider"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    CROWDED = "too_many_connections"
    MALFORMED = "malformed"
    REPEATED_HEADER = "repeated_header"
    ENCODED_BODY = "encoded_body"
    BAD_EXPECTATION = "bad_expectation"
    UNAUTHORIZED = "unauthorized"
    NO_START = "no_start"
    BAD_START = "bad_start"
    CLOSED_BEFORE_START = "closed_before_start"
    NO_UPGRADE = "no_upgrade"
    BAD_HANDSHAKE = "bad_handshake"
    REPLAYED = "replayed"
    NOT_A_FORM = "not_a_form"
    TOO_MANY_FIELDS = "too_many_fields"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    CUT_OFF = "cut_off"
    BAD_SIGNATURE = "bad_signature"
    NOT_A_CALL = "not_a_call"
    PROVIDER_REFUSED = "provider_refused"


TURNED_AWAY = "turned_away"
"""The reason for which the record says that a call ended for which there was no room; its detail is the refusal."""


class TurnedAway(Struct, frozen=True):
    """A call that a line has and for which there was no room: it never was one of the gateway's."""

    provider: str
    call_id: str
    line: str
    caller: str
    """The numbers in standard form, as a call's are."""
    called: str
    reason: Refusal
