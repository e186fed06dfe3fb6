"""Checks the credential for Voice Live: an API key, or a Microsoft Entra token with its claims."""

import asyncio
from collections.abc import Awaitable, Callable

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from gateway.doctor.row import Row, failed, fine, reduced
from gateway.doctor.sessions.claims import claims_of
from gateway.voice.service import VoiceRefusedError

TOKEN_LIMIT_S = 20.0
"""``DefaultAzureCredential`` asks one source after the other, of which some take seconds to say no."""
SHORT_S = 300.0
_ABOUT = "Voice Live"
_SOURCES = (
    "give this machine an identity: a managed identity, AZURE_CLIENT_ID with AZURE_TENANT_ID and a secret, or "
    "az login; or set AZURE_COGNITIVE_SERVICES_KEY"
)


def key_found(origin: str) -> Row:
    """Return the row of an API key; only the handshake can say whether it is the right one."""
    return fine("credential", f"an API key ({origin})", _ABOUT)


async def token_checked(fetch: Callable[[], Awaitable[AccessToken]], scope: str, now_s: Callable[[], float]) -> Row:
    """Return the row of the token that ``fetch`` returns, which is asked for with ``scope``."""
    try:
        async with asyncio.timeout(TOKEN_LIMIT_S):
            token = await fetch()
    except TimeoutError:
        return failed("credential", f"no Microsoft Entra token within {TOKEN_LIMIT_S:g} s", _SOURCES, _ABOUT)
    except (AzureError, VoiceRefusedError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        return failed("credential", f"no Microsoft Entra token: {reason}", _SOURCES, _ABOUT)
    claims = claims_of(token.token)
    left_s = token.expires_on - now_s()
    details = [f"a Microsoft Entra token for {scope.removesuffix('/.default')}", f"valid for {left_s / 60:.0f} min"]
    if claims is not None:
        details += [f"tenant {claims.tenant or 'not told'}", f"identity {claims.identity or 'not told'}"]
        wanted = scope.removesuffix("/.default")
        if claims.audience.rstrip("/") not in (wanted, ""):
            detail = f"the token's audience is {claims.audience}, expected {wanted}"
            return failed("credential", detail, "correct voice_live.scope for the cloud of the resource", _ABOUT)
    detail = ", ".join(details)
    if left_s <= 0:
        return failed("credential", f"{detail}: expired", "set this machine's clock, or log in anew", _ABOUT)
    if left_s < SHORT_S:
        return reduced("credential", f"{detail}: short", "log in anew, or use an identity that renews itself", _ABOUT)
    return fine("credential", detail, _ABOUT)
