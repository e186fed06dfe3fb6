"""Call the gateway from a simulated phone of any provider."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace

import aiohttp

from gateway.audio.formats import AudioFormat
from gateway.errors import InputError
from gateway.sim.faults.phone import PhoneFaults
from gateway.sim.phone.connecting import RefusedError
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.rest_api import SimulatedApi
from gateway.sim.phone.webhook import SimProvider
from gateway.sim.phone.wire import SimCall
from gateway.sim.providers import PROVIDERS


@contextlib.asynccontextmanager
async def dial(
    provider: str,
    url: str = "",
    *,
    answer_url: str = "",
    status_url: str = "",
    fallback_url: str = "",
    to: str = "",
    from_: str = "",
    audio_format: AudioFormat | None = None,
    secrets: Mapping[str, str] | None = None,
    call_id: str = "",
    quirks: Iterable[str] = (),
    api: SimulatedApi | None = None,
    on_tick: Callable[[Tick], None] | None = None,
    keep: bool = True,
    faults: PhoneFaults | None = None,
    timeout_s: float = 10.0,
    setup_s: float = 0.0,
) -> AsyncIterator[SimulatedPhone]:
    """Call through the stream ``url``, or by asking ``answer_url`` first; leaving the body hangs up.

    See :class:`~gateway.sim.phone.wire.SimCall` for what the arguments mean, and :meth:`SimulatedPhone.open` for
    ``on_tick``, ``keep`` and ``faults``. The provider opens the stream ``setup_s`` after the gateway's answer.

    After the stream of a call that was answered, the provider acts as it does at a call's end. Raises
    ``GatewayError`` where the gateway cannot be reached or refuses the call, and ``InputError`` for a provider or an
    audio format that does not exist.
    """
    chosen = _provider(provider)
    call = SimCall(
        to=to,
        from_=from_,
        call_id=call_id or chosen.new_call_id(),
        stream_id=chosen.new_stream_id(),
        audio_format=_format(chosen, audio_format),
        secrets=secrets or {},
        answer_url=answer_url,
        status_url=status_url,
        fallback_url=fallback_url,
        quirks=frozenset(quirks),
    )
    async with aiohttp.ClientSession() as http:
        webhook = chosen.webhook(call, http, api)
        opening = await webhook.call_in() if answer_url else webhook.stream(url)
        await asyncio.sleep(setup_s)
        wire = chosen.wire(replace(call, audio_format=opening.audio_format or call.audio_format), opening)
        try:
            async with SimulatedPhone.open(
                opening, wire, on_tick=on_tick, keep=keep, faults=faults, timeout_s=timeout_s
            ) as phone:
                webhook.connected(phone)
                yield phone
        except RefusedError as refused:
            if answer_url and refused.stream:
                await webhook.stream_failed()
            raise
        if answer_url:
            await webhook.ended()


def _provider(name: str) -> SimProvider:
    if name not in PROVIDERS:
        raise InputError(f"no provider {name!r} is simulated; expected one of {', '.join(PROVIDERS)}")
    return PROVIDERS[name]


def _format(provider: SimProvider, wanted: AudioFormat | None) -> AudioFormat:
    if wanted is None:
        return provider.audio_formats[0]
    if wanted not in provider.audio_formats:
        known = ", ".join(map(str, provider.audio_formats))
        raise InputError(f"a phone of {provider.title} does not speak {wanted}; expected one of {known}")
    return wanted
