"""Openings that end before a session was asked for, and what is told of them."""

from gateway.voice.endpoints.lease import Lease
from gateway.voice.events import VoiceClosed, VoiceEnd
from gateway.voice.opening import Opened, Opening
from gateway.voice.proposals import Proposal
from tests.fakes import FakeSocket
from tests.voice.negotiation.session import SESSION
from tests.voice.test_opening import FIRST, SECOND, Service, opened, ready


async def test_a_model_for_which_no_endpoint_is_left_gives_way() -> None:
    """Nothing was tried for it; the next one of the line may have an endpoint."""
    service = Service(FakeSocket(ready()))
    opening = Opening(service, [Proposal(one, SESSION) for one in (FIRST, SECOND)])
    leased = opening._service.lease

    def lease(answering: object, *how: object) -> Lease | None:
        return None if answering == FIRST else leased(answering, *how)  # type: ignore[arg-type]  # they are passed on

    opening._service.lease = lease  # type: ignore[method-assign,assignment]  # as an endpoint without a place has it
    assert isinstance(await opening.run(), Opened)
    assert service.asked == [SECOND]


async def test_a_connection_that_breaks_is_no_refusal() -> None:
    """No session of ours is the cause: the end is told as it was."""
    _, result = await opened(Service(FakeSocket(failure="no answer to a ping in time")))
    assert result == VoiceClosed(VoiceEnd.LOST, "no answer to a ping in time")
