"""A simulated phone of Twilio, for tests that need no other provider."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Self

import aiohttp

from gateway.audio.formats import PCMU, AudioFormat
from gateway.sim.phone.observed import Tick
from gateway.sim.phone.phone import SimulatedPhone
from gateway.sim.phone.wire import SimCall
from gateway.sim.providers.twilio import TwilioWebhook, TwilioWire, new_sid

__all__ = ["SimulatedTwilio", "Tick"]


class SimulatedTwilio(SimulatedPhone):
    """A :class:`~gateway.sim.phone.phone.SimulatedPhone` on Twilio's wire; made by :meth:`connect`."""

    @property
    def call_sid(self) -> str:
        """Return the call's id, which Twilio calls ``CallSid``."""
        return self.call_id

    @property
    def stream_sid(self) -> str:
        """Return the stream's id, which Twilio calls ``StreamSid``."""
        return self.stream_id

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(
        cls,
        url: str,
        *,
        to: str = "",
        from_: str = "",
        parameters: Mapping[str, str] | None = None,
        audio_format: AudioFormat = PCMU,
        call_sid: str = "",
        auth_token: str = "",
        on_tick: Callable[[Tick], None] | None = None,
        keep: bool = True,
        timeout_s: float = 10.0,
    ) -> AsyncIterator[Self]:
        """Open the stream ``url`` and keep the call going until the body is left, which hangs up.

        ``parameters`` default to ``from`` and ``to``, as an answer document would pass them; ``auth_token`` signs the
        upgrade. The rest is as in :meth:`SimulatedPhone.open`.
        """
        secrets = {"auth_token": auth_token} if auth_token else {}
        call = SimCall(to, from_, call_sid or new_sid("CA"), new_sid("MZ"), audio_format, secrets)
        async with aiohttp.ClientSession() as http:
            opening = TwilioWebhook(call, http).stream(url)
        if parameters is not None:
            opening = replace(opening, parameters=parameters)
        async with cls.open(
            opening, TwilioWire(call, opening), on_tick=on_tick, keep=keep, timeout_s=timeout_s
        ) as phone:
            yield phone
