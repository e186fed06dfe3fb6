"""Errands, which the conversation asks for beside its two legs, and their results. Pure."""

from collections.abc import Mapping

from msgspec import Struct


class KeyedDigits(str):
    """Digits that the caller keyed in confidence; what is made of a call for people to read does not show them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<keyed digits>"


class RunFunction(Struct, frozen=True):
    """Carry out a function that the model called; ``arguments`` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str
    secrets: Mapping[str, KeyedDigits] = {}
    """Arguments that the caller keyed in and that the model does not know."""


class TransferCaller(Struct, frozen=True):
    """Hand the call to the target of this name, at a number (E.164) or a ``sip:`` address."""

    target: str
    to: str


class DialDigits(Struct, frozen=True):
    """Dial digits into the call, as the function call ``call_id`` asked."""

    call_id: str
    digits: str


Errand = RunFunction | TransferCaller | DialDigits


class FunctionReturned(Struct, frozen=True):
    """A function is done: ``output`` is JSON text for the model, ``outcome`` ok, error, timeout or refused."""

    call_id: str
    output: str
    outcome: str = "ok"


class TransferEnded(Struct, frozen=True):
    """The provider has taken the call over, or has not: then ``failure`` says why."""

    failure: str = ""


class DigitsDialled(Struct, frozen=True):
    """The digits were dialled, or were not: then ``failure`` says why."""

    call_id: str
    failure: str = ""


ErrandEvent = FunctionReturned | TransferEnded | DigitsDialled
