"""The way to Voice Live by the SDK's ``connect()``: what holds of the fast way holds of it, but for what it lacks."""

import pytest

from gateway.voice.bot import Model
from gateway.voice.service import VoiceLive, VoiceRefusedError
from tests.voice.conftest import credentials, no_pause  # noqa: F401 -- fixtures
from tests.voice.test_heartbeat import test_a_service_that_says_nothing_is_pinged  # noqa: F401 -- the same test
from tests.voice.test_leg import (  # noqa: F401 -- the same tests, on the other sockets
    test_a_cancelled_response,
    test_a_greeting_and_a_tool,
    test_a_session_that_the_service_refuses,
    test_a_turn_from_end_to_end,
    test_commands,
    test_lost_is_told_from_closed,
    test_odd_frames_are_events_and_no_end,
)
from tests.voice.test_leg_sockets import test_a_connection_that_breaks_at_once_is_lost  # noqa: F401 -- as above
from tests.voice.test_service import (  # noqa: F401 -- as above
    emulator,
    test_a_connection_that_breaks_before_the_answer_may_pass,
    test_a_connection_that_is_cancelled_leaves_nothing,
    test_a_handshake_that_is_never_answered,
    test_a_key_that_no_header_can_carry,
    test_a_redirect_is_not_followed,
    test_a_refusal_is_told_in_words,
    test_a_socket_by_tls_may_be_closed_twice,
    test_a_wrong_key,
    test_an_agent_is_named_in_the_query,
    test_an_agent_never_gets_the_key,
    test_an_agent_of_kind_voice_has_a_route_of_its_own,
    test_an_api_key_opens_a_session,
    test_an_endpoint_that_is_no_name,
    test_connections_of_many_calls,
    test_no_token_is_a_refusal,
    test_nobody_there,
)
from tests.voice.test_service_requests import test_the_request_has_the_id_of_the_call  # noqa: F401 -- as above

pytestmark = pytest.mark.usefixtures("public_sockets")


async def test_a_refusal_has_a_status_and_no_words() -> None:
    """The SDK keeps the body of the answer to itself; its own words would be taken for the service's."""
    async with emulator(handshake={"status": 429}) as service, VoiceLive(service.endpoint, "right") as live:
        assert live.way == "public"
        with pytest.raises(VoiceRefusedError, match=r"429: .* is used up \(request [^)]+\)$"):
            await live.connect(Model("gpt-4.1"))
