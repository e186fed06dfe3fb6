"""Why a webhook or a stream was turned away, before it became a call. Pure."""

import enum


class Refusal(enum.StrEnum):
    """Why somebody was turned away; metrics and logs carry these words."""

    FULL = "full"
    LINE_FULL = "line_full"
    SHUT_DOWN = "shut_down"
    UNKNOWN_NUMBER = "unknown_number"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_PROVIDER = "unknown_provider"
    UNAUTHORIZED = "unauthorized"
    NO_START = "no_start"
    BAD_START = "bad_start"
    CLOSED_BEFORE_START = "closed_before_start"
    NO_UPGRADE = "no_upgrade"
    BAD_SIGNATURE = "bad_signature"
    NOT_A_CALL = "not_a_call"
