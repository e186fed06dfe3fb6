"""The upgrade of a media stream: who is refused and what is told of it, and what is taken with which facts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from gateway.call.ending import EndReason
from gateway.call.refusal import Refusal
from gateway.phone.provider import Grant, SignatureError
from gateway.routes import media_stream
from tests.fakes import FakeSocket
from tests.routes.stage import ENDED, GRANT, PUBLIC, SORRY, Run, Stage, Taping, stand_in, started


def upgrade(stage: Stage, line: str = "support", **more: str) -> object:
    """Return the request that opens a stream."""
    headers = {"Upgrade": "WebSocket", "X-Proof": "a", **more}
    match = {"provider": "twilio", "line": line, "token": "t0ken"}
    return make_mocked_request("GET", f"/stream/twilio/{line}/t0ken?a=%20b&c=d", headers, match_info=match)


@pytest.mark.parametrize(("stops", "reason"), [(False, Refusal.FULL), (True, Refusal.SHUT_DOWN)])
async def test_a_stream_for_which_there_is_no_place(tmp_path: Path, stops: bool, reason: Refusal) -> None:
    """503, which a provider may take for busy; and the caller is helped."""
    stage = Stage(tmp_path, limit=1)
    with stage.calls.place():
        stage.calls.draining = stops
        response = await stage.streams.handle(upgrade(stage))  # type: ignore[arg-type]  # as good as one
    assert response.status == 503
    assert [refused.reason for refused in stage.refused] == [reason]
    assert stage.control.asked() == [("CA1", SORRY)]


async def test_a_stream_that_proves_nothing(tmp_path: Path) -> None:
    """403, and nothing is done for whoever asks; it is on the tapes that wait for a stream of this provider."""
    taping = Taping()
    stage = Stage(tmp_path, tapes=taping)
    stage.grant = SignatureError("the stream has no token")
    response = await stage.streams.handle(upgrade(stage))  # type: ignore[arg-type]  # as good as one
    assert response.status == 403
    assert [(refused.reason, refused.detail) for refused in stage.refused] == [
        (Refusal.UNAUTHORIZED, "the stream has no token")
    ]
    assert stage.control.made == []
    address = PUBLIC.replace("https", "wss") + "/stream/twilio/support/t0ken?a=%20b&c=d"
    assert taping.taped == [("twilio", address, "the stream has no token")]


async def test_a_stream_whose_line_is_gone(tmp_path: Path) -> None:
    """404; its place is free, and the call is ended, for no line says what else to do."""
    stage = Stage(tmp_path, limit=1)
    stage.grant = Grant("gone", "CA1")
    stage.calls.reserve(("twilio", "CA1"), "gone", None, 60)
    response = await stage.streams.handle(upgrade(stage))  # type: ignore[arg-type]  # as good as one
    assert response.status == 404
    assert [refused.reason for refused in stage.refused] == [Refusal.UNKNOWN_LINE]
    assert stage.control.asked() == [("CA1", ENDED)]
    assert stage.calls.in_use == 0


async def test_what_is_told_of_an_upgrade_is_what_was_asked(tmp_path: Path) -> None:
    """The public address as its provider was given it, its query, and headers by their names in lower case."""
    stage = Stage(tmp_path)
    told = stage.streams._upgrade(upgrade(stage))  # type: ignore[arg-type]  # as good as one
    assert told.url == PUBLIC.replace("https", "wss") + "/stream/twilio/support/t0ken?a=%20b&c=d"
    assert told.query == {"a": " b", "c": "d"}
    assert told.headers == {"upgrade": "WebSocket", "x-proof": "a"}


@pytest.mark.parametrize(
    ("headers", "grant", "places", "reason", "status"),
    [
        ({"Upgrade": "h2c"}, GRANT, 1, Refusal.NO_UPGRADE, 426),
        ({}, SignatureError("no token"), 1, Refusal.UNAUTHORIZED, 403),
        ({}, GRANT, 0, Refusal.FULL, 503),
        ({}, GRANT, 1, Refusal.BAD_HANDSHAKE, 400),
    ],
)
async def test_the_log_names_the_provider_of_each_stream_that_is_refused(
    tmp_path: Path, headers: dict[str, str], grant: Any, places: int, reason: Refusal, status: int
) -> None:
    """Whatever it is refused for, its place is free again; what is no handshake is not answered as one."""
    stage = Stage(tmp_path, limit=1)
    stage.grant = grant

    async def accept(*_: object, **__: object) -> None:
        return None

    stage.streams._accept = accept
    with capture_logs() as logs:
        if places:
            response = await stage.streams.handle(upgrade(stage, **headers))  # type: ignore[arg-type]  # as good as one
        else:
            with stage.calls.place():
                response = await stage.streams.handle(upgrade(stage))  # type: ignore[arg-type]  # as good as one
    assert response.status == status
    assert [(entry["event"], entry["reason"], entry["provider"]) for entry in logs] == [
        ("stream_refused", reason.value, "twilio")
    ]
    assert stage.calls.in_use == 0


async def test_a_stream_is_taken_on_the_socket_of_its_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tape is told of the upgrade, its token's call, and the call that its start names; the call runs on it."""
    monkeypatch.setattr(media_stream, "Call", stand_in(Run()))
    taping, opened, taped = Taping(), FakeSocket(), FakeSocket("start")
    stage, accepted = Stage(tmp_path, tapes=taping), []
    taping.socket = taped
    response = web.StreamResponse()

    async def accept(
        request: object, *, subprotocols: Sequence[str], max_message: int, close_timeout_s: float
    ) -> tuple[web.StreamResponse, Any]:
        accepted.append((subprotocols, max_message, close_timeout_s))
        return response, opened

    stage.streams._accept = accept
    request = upgrade(stage)
    assert await stage.streams.handle(request) is response  # type: ignore[arg-type]  # as good as one
    assert accepted == [((), 1024, media_stream.CLOSE_TIMEOUT_S)]
    asked = stage.streams._upgrade(request)  # type: ignore[arg-type]  # as good as one
    assert taping.taped == [
        (opened, "twilio", asked, GRANT),
        (taped, "twilio", started(), "begins"),
        (taped, "twilio", started(), "is over"),
    ]
    assert stage.note("call_ended")["reason"] == EndReason.BOT_HUNG_UP
    assert taped.closed_with is not None
