"""A call in lock step."""

import pytest

from bench import lockstep
from bench.certificate import certificate
from bench.target import Kept, Program, running


@pytest.mark.timeout(120)
def test_each_frame_and_each_delta_arrives() -> None:
    """Of one call of the gateway, with TLS; what does not arrive, or arrives changed, is an error."""
    with lockstep.listening() as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with (
            running(Program(kept=Kept.NOTHING), url, certificate().authority, None) as target,
            lockstep.call(server, target.port) as call,
        ):
            call.frames(10)
            call.reply(lockstep.MOST_DELTAS)
        assert call.ran_dry >= 2, "the greeting and the reply, each of which begins in silence"
