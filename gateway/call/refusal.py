"""Why a webhook, a stream or another request was turned away, before it became a call. Pure."""

import enum


class Refusal(enum.StrEnum):
    """Why somebody was turned away; metrics and logs carry these words."""

    FULL = "full"
    LINE_FULL = "line_full"
    SHUT_DOWN = "shut_down"
    UNKNOWN_NUMBER = "unknown_number"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_PROVIDER = "unknown_provider"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    MALFORMED = "malformed"
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
