"""Makes the pool of a deployment: its endpoints, their connections, and what workers share of them. Pure."""

from collections.abc import Callable, Sequence

from azure.core.credentials_async import AsyncTokenCredential
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.config.deployment import Deployment
from gateway.config.endpoints import EndpointSection
from gateway.config.secrets import value_of
from gateway.fleet.sessions import Sessions
from gateway.voice.endpoints.endpoint import Endpoint
from gateway.voice.endpoints.metrics import EndpointMetrics
from gateway.voice.endpoints.pool import Pool
from gateway.voice.endpoints.pooled import PooledVoiceLive
from gateway.voice.negotiation.watch import Watch
from gateway.voice.service import VoiceLive


def pooled(
    deployment: Deployment,
    sections: Sequence[EndpointSection],
    sessions: Sessions,
    registry: CollectorRegistry,
    clock: Callable[[], float],
    *,
    kind: type[VoiceLive] = VoiceLive,
    identity: AsyncTokenCredential | None = None,
    watch: Watch | None = None,
) -> tuple[PooledVoiceLive, EndpointMetrics]:
    """Return the endpoints of ``sections`` as a pool, and their metrics. ``kind`` makes the connections of each."""
    endpoints = [endpoint_of(section) for section in sections]
    metrics = EndpointMetrics(registry, [endpoint.name for endpoint in endpoints])
    services = {
        section.label: service_at(deployment, section, kind=kind, identity=identity, watch=watch)
        for section in sections
    }
    return PooledVoiceLive(services, Pool(endpoints, sessions, watch=metrics), clock), metrics


def service_at(
    deployment: Deployment,
    section: EndpointSection,
    *,
    kind: type[VoiceLive] = VoiceLive,
    identity: AsyncTokenCredential | None = None,
    watch: Watch | None = None,
) -> VoiceLive:
    """Return the service at one endpoint."""
    settings = deployment.voice_live
    return kind(
        section.endpoint,
        value_of(section.key),
        api_version=settings.api_version,
        connect_timeout_s=settings.connect_timeout_s,
        identity=identity,
        scope=settings.scope or "",
        client_id=section.client_id or "",
        negotiate=settings.negotiate,
        watch=watch,
        sockets=deployment.sockets,
    )


def in_place(deployment: Deployment, endpoint: str, api_key: str) -> EndpointSection:
    """Return the endpoint that is used in place of the deployment's, with the same quota."""
    key, limits = SecretStr(api_key) if api_key else None, deployment.voice_live.limits
    return EndpointSection.model_construct(endpoint=endpoint, key=key, limits=limits)


def endpoint_of(section: EndpointSection) -> Endpoint:
    """Return an endpoint as the pool sees it."""
    return Endpoint(
        section.label,
        section.priority,
        section.weight,
        section.limits.sessions,
        section.limits.sessions_per_minute,
        section.models,
    )
