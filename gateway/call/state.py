"""The states of a call, and the events that may come in each. Pure."""

import enum
from collections.abc import Mapping
from typing import get_args

from gateway.call.ending import Order, ShutDown
from gateway.call.errands import ErrandEvent
from gateway.call.recovery.commands import LegEvent
from gateway.phone.events import PhoneEvent
from gateway.voice.events import (
    MalformedEvent,
    ReplyText,
    ServiceWarning,
    SessionReady,
    UnknownEvent,
    VoiceClosed,
    VoiceEvent,
    WordSpoken,
)


class State(enum.IntEnum):
    """The states of a call."""

    CONNECTING = enum.auto()
    """The caller is there, the session is not ready yet."""
    RECOVERING = enum.auto()
    """The session was lost, or not opened, and another one is sought."""
    TALKING = enum.auto()
    LEAVING = enum.auto()
    """The call is about to end or to be transferred, and the last words are still being heard."""
    TRANSFERRING = enum.auto()
    """The provider is asked to connect the caller with somebody else."""
    ENDED = enum.auto()


CONNECTING, RECOVERING, TALKING, LEAVING, TRANSFERRING, ENDED = State
"""By name: an attribute of an enumeration is looked up slowly, and every event asks for the state."""

PHONE = frozenset(get_args(PhoneEvent))
BESIDE = frozenset({*get_args(ErrandEvent), *get_args(LegEvent), ShutDown, Order})
WITHOUT_SESSION = frozenset({SessionReady, VoiceClosed, MalformedEvent, UnknownEvent, ServiceWarning})
IN_SESSION = frozenset(get_args(VoiceEvent)) - WITHOUT_SESSION
"""Events that mean something only in a session; before there is one, nothing may be sent that would answer them."""

PIECES = frozenset({ReplyText, WordSpoken})
"""Pieces of a reply's text, and the times of its words: many, and nothing is due because of them."""

EXPECTED: Mapping[State, frozenset[type]] = {
    CONNECTING: PHONE | BESIDE | WITHOUT_SESSION,
    RECOVERING: PHONE | BESIDE,
    TALKING: PHONE | BESIDE | WITHOUT_SESSION | IN_SESSION,
    LEAVING: PHONE | BESIDE | WITHOUT_SESSION | IN_SESSION,
    TRANSFERRING: PHONE | BESIDE | WITHOUT_SESSION | IN_SESSION,
    ENDED: frozenset(),
}
"""The events that are handled in each state. Any other is noted as unexpected; after the end nothing is noted."""
