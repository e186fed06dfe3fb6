"""Describes in words the receivers of the events of calls, for ``gateway check``."""

from gateway.config.deployment import Deployment
from gateway.config.records.deliver import Receiver
from gateway.config.secrets import values_of


def describe_receivers(deployment: Deployment) -> str:
    """Return one row for each receiver of the deployment; nothing where there is none."""
    if not deployment.deliver:
        return ""
    rows = (f"  {one.label:<10} {receiver_row(one)}" for one in deployment.deliver)
    return "\n".join(["deliver, on lines without deliver:", *rows])


def receiver_row(receiver: Receiver) -> str:
    """Return the address without its query, the events, and what the end of a call brings along."""
    details = [
        receiver.url.partition("?")[0],
        " ".join(receiver.events),
        f"with {' '.join(receiver.include)}" if receiver.include else "",
        "secret: new and old" if len(values_of(receiver.secret)) > 1 else "",
    ]
    return ", ".join(filter(None, details))
