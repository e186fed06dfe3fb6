"""What the request of a session carries beside its address."""

import pytest

from gateway.sim.emulator import Emulator
from gateway.voice.bot import Model
from gateway.voice.service import VoiceLive
from tests.sim.emulator.wire import quick
from tests.voice.credential import FakeCredential

MODEL = Model("gpt-4.1")


@pytest.mark.parametrize(("variable", "options"), [("", {"authority": "login.microsoftonline.us"}), ("x", {})])
async def test_a_sovereign_cloud_has_its_own_authority(
    credentials: list[FakeCredential], monkeypatch: pytest.MonkeyPatch, variable: str, options: dict[str, str]
) -> None:
    """Unless the environment names one, as for the identity library alone."""
    if variable:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", variable)
    else:
        monkeypatch.delenv("AZURE_AUTHORITY_HOST", raising=False)
    async with VoiceLive("https://contoso.services.ai.azure.us") as live:
        assert live.scope == "https://cognitiveservices.azure.us/.default"
    assert [one.options for one in credentials] == [options]


@pytest.mark.parametrize(
    ("call_id", "named"), [("CA17", "CA17"), ("", None), ("call\nid", None), ("anruf-für-ada", None), ("x" * 201, None)]
)
async def test_the_request_has_the_id_of_the_call(call_id: str, named: str | None) -> None:
    """In ``x-ms-client-request-id``; an id that no header can carry is left out."""
    async with Emulator(quick()) as service, VoiceLive(service.endpoint, "any") as live:
        socket = await live.connect(MODEL, call_id=call_id)
        session = await service.session()
        assert session.headers.get("x-ms-client-request-id") == named
        await socket.close()
