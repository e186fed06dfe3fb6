"""Says who exports: the service, its version, and which of its processes."""

import importlib.metadata
import uuid
from collections.abc import Mapping

from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)

NAME = "voice-line-gateway"


def resource_of(instance: str = "") -> Resource:
    """Return the resource of this process; what ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` say comes first.

    ``instance`` tells processes apart that share an environment which names the instance.
    """
    given = OTELResourceDetector().detect().attributes
    defaults: Mapping[str, str] = {SERVICE_NAME: NAME, SERVICE_VERSION: importlib.metadata.version(NAME)}
    ours = {name: value for name, value in defaults.items() if name not in given}
    named = str(given.get(SERVICE_INSTANCE_ID, ""))
    suffix = f"-{instance}" if instance else ""
    ours[SERVICE_INSTANCE_ID] = f"{named}{suffix}" if named else str(uuid.uuid4())
    return Resource.create(ours)
