"""The notes of messages that are wrong, or report something wrong. Pure."""

from gateway.call.notes.note import Leg, Note


class ServiceError(Note, frozen=True):
    """Made for each error event of Voice Live."""

    code: str
    detail: str


class ServiceWarning(Note, frozen=True):
    """Made for each warning of Voice Live."""

    code: str
    detail: str


class MalformedMessage(Note, frozen=True):
    """Made for a message that breaks a protocol."""

    leg: Leg
    detail: str


class OddMessage(Note, frozen=True):
    """Made for a harmless deviation of a provider from its documentation, once a call for each."""

    leg: Leg
    detail: str


class UnknownMessage(Note, frozen=True):
    """Made for a message of an unknown kind, or of a session that is not ready."""

    leg: Leg
    message_kind: str
