"""Describes in words the Voice Live endpoints of a configuration, for ``gateway check``."""

from gateway.config.deployment import Deployment
from gateway.config.endpoints import EndpointSection


def describe_endpoints(deployment: Deployment) -> str:
    """Return one row for each of several endpoints, in the order in which they are used; nothing for a single one."""
    several = deployment.voice_live.endpoints
    if not several:
        return ""
    in_turn = sorted(several, key=lambda one: one.priority)
    return "\n".join(["endpoints:", *(f"  {one.label:<10} {_endpoint(one)}" for one in in_turn)])


def _endpoint(one: EndpointSection) -> str:
    limits = one.limits
    details = [
        one.endpoint,
        "API key" if one.key else "Microsoft Entra ID",
        f"priority {one.priority}, weight {one.weight:g}",
        f"{limits.sessions} sessions at once" if limits.sessions else "",
        f"{limits.sessions_per_minute} new in a minute" if limits.sessions_per_minute else "",
        f"models {', '.join(one.models)}" if one.models else "",
    ]
    return ", ".join(filter(None, details))
