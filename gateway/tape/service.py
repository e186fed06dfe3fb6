"""Voice Live as a taped call reaches it: each connection is recorded."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import msgspec

from gateway.errors import GatewayError
from gateway.sockets.socket import Socket
from gateway.tape.sockets import TapedSocket
from gateway.tape.tapes import Taped, current
from gateway.voice.service import VoiceLive


class TapedVoiceLive(VoiceLive):
    """Opens sessions, and records those of taped calls; any other call gets its socket itself."""

    async def connect(self, *args: Any, **kwargs: Any) -> Socket:
        """Return a connected socket; see ``VoiceLive.connect``."""
        taped = current.get()
        if taped is None:
            return await super().connect(*args, **kwargs)
        number = taped.number()
        asked = {"endpoint": self.endpoint, "asked": [msgspec.to_builtins(each) for each in args if each is not None]}
        taped.add("voice", "out", "open", asked, number)
        try:
            socket = await super().connect(*args, **kwargs)
        except GatewayError as error:
            taped.add("voice", "in", "refused", {"error": str(error)}, number)
            raise
        taped.add("voice", "in", "opened", None, number)
        # The leg uses of a socket what the recording one has.
        return cast(Socket, TapedSocket(socket, _note(taped, number)))


def _note(taped: Taped, number: int) -> Callable[[str, str, object], None]:
    return partial(_add, taped, number)


def _add(taped: Taped, number: int, to: str, kind: str, payload: object) -> None:
    taped.add("voice", to, kind, payload, number)
