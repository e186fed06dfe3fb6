"""How the service is reached, and how it delivers what the bot says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """The conditions of a trial, the same for each program."""

    is_plain: bool = False
    """``True`` if the voice leg has no TLS, which no service of Azure's offers."""


USUAL = Conditions()
