"""Refuses a session before its first update: the handshake succeeds, and an error comes in place of the session.

Seen at the service: a model that does not exist, or that the region lacks, and a profile that is not known.
"""

from fnmatch import fnmatchcase

from gateway.sim.emulator.refusing.rules import OpeningRule, Refuse

_PROFILES = frozenset(
    ("byom-azure-openai-realtime", "byom-azure-openai-chat-completion", "byom-foundry-anthropic-messages")
)


def opening_refusal(refuse: Refuse, model: str, profile: str | None, connection: int) -> OpeningRule | None:
    """Return the error that a connection begins with, or None for ``session.created``."""
    for rule in refuse.opening:
        if rule.holds_for(model, connection):
            return rule
    if profile is not None and profile not in _PROFILES:
        message = f"Profile {profile} is not supported."
        return OpeningRule(code="invalid_profile", message=message)
    if any(fnmatchcase(model, pattern) for pattern in refuse.models):
        return OpeningRule(code="invalid_model", message=f"Model {model} is not supported in this region.")
    return None
