"""Genesys' other streams: connection probes, and AudioHook Monitor."""

from pathlib import Path

from structlog.testing import capture_logs

from gateway.sim.providers.genesys import MONITOR, PROBE
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, NUMBER, instant


async def test_the_reference_client_s_probe_is_answered_and_is_no_call(tmp_path: Path) -> None:
    """Three media, an empty audio message and the end: no rule is broken, no session opened, nothing refused."""
    with capture_logs() as logs:
        async with (
            exchange(tmp_path, ["genesys"], {"support": LINE}, instant()) as held,
            held.call("genesys", NUMBER, url=held.stream_url("genesys"), quirks=[PROBE]) as phone,
        ):
            await phone.closed.wait()
    assert (phone.violations, held.emulator.sessions) == ([], [])
    assert logs == []  # warnings and errors alone are kept here


async def test_a_monitor_s_stream_is_refused_with_what_was_offered(tmp_path: Path) -> None:
    """It only listens: taken as a call, a bot would talk to nobody. Genesys is told so, and closes by itself."""
    with capture_logs() as logs:
        async with (
            exchange(tmp_path, ["genesys"], {"support": LINE}, instant()) as held,
            held.call("genesys", NUMBER, url=held.stream_url("genesys"), quirks=[MONITOR]) as phone,
        ):
            await phone.closed.wait()
    assert (phone.violations, held.emulator.sessions) == ([], [])
    (refused,) = [entry for entry in logs if entry["event"] == "stream_refused"]
    assert refused["reason"] == "bad_start"
    assert "PCMU 8000 Hz external+internal" in refused["detail"]
    assert "AudioHook Monitor only listens" in refused["detail"]
