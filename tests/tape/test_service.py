from pathlib import Path

import pytest

from gateway.phone.provider import Grant, Upgrade
from gateway.sim.emulator import Emulator
from gateway.sockets.message_socket import MessageSocket
from gateway.tape.service import TapedVoiceLive
from gateway.tape.sockets import TapedSocket
from gateway.tape.tapes import current
from gateway.voice.bot import Model
from gateway.voice.service import VoiceUnreachableError
from tests.e2e.rig import instant
from tests.tape.test_sockets import Socket
from tests.tape.test_tapes import TWILIO, make, started, tapes_in


async def test_a_taped_call_has_a_recording_socket_and_any_other_the_real_one(tmp_path: Path) -> None:
    """The context of the call's task decides."""
    async with (
        Emulator(instant()) as emulator,
        TapedVoiceLive(emulator.endpoint, "any") as service,
        make(tmp_path) as tapes,
    ):
        socket = await service.connect(Model("gpt-4.1"))
        assert isinstance(socket, MessageSocket)
        await socket.close()
        phone = tapes.stream(Socket(), TWILIO, Upgrade(), Grant())
        with tapes.call(phone, TWILIO, started("CA1")):
            taped = await service.connect(Model("gpt-4.1"))
            assert isinstance(taped, TapedSocket)
            await taped.receive()
            await taped.close()
    (tape,) = tapes_in(tmp_path)
    records = [(line.to, line.kind) for _, line in tape.of("voice")]
    assert records == [("out", "open"), ("in", "opened"), ("in", "message"), ("out", "close"), ("in", "closed")]


async def test_a_connection_that_fails_is_on_the_tape_in_words(tmp_path: Path) -> None:
    """Without the host, and the call gets its error as before."""
    async with TapedVoiceLive("http://127.0.0.1:9", "any") as service, make(tmp_path) as tapes:
        with tapes.call(tapes.stream(Socket(), TWILIO, Upgrade(), Grant()), TWILIO, started("CA1")):
            assert current.get() is not None
            with pytest.raises(VoiceUnreachableError):
                await service.connect(Model("gpt-4.1"))
    (tape,) = tapes_in(tmp_path)
    ((_, line),) = tape.of("voice", "in", "refused")
    assert "cannot be reached" in str(line.facts)
    assert "//127.0.0.1" not in str(tape)
