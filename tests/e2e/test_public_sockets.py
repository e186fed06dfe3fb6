"""The same calls on public names of aiohttp and the SDK: a conversation at every provider, and the ways it can end."""

import pytest

from tests.e2e.test_attacks import test_an_oversized_frame_is_not_kept  # noqa: F401 -- the same tests, on other sockets
from tests.e2e.test_hang_up import (  # noqa: F401 -- as above
    test_a_phone_that_has_vanished,
    test_the_service_does_not_read,
    test_the_service_freezes,
    test_the_service_goes,
)
from tests.e2e.test_leaving import (  # noqa: F401 -- as above
    test_a_caller_who_speaks_into_the_farewell_keeps_the_call,
)
from tests.e2e.test_providers import (  # noqa: F401 -- as above
    calls,
    case,
    outcome,
    test_either_side_ends_the_call,
    test_keys_arrive,
    test_no_rule_is_broken,
    test_the_phone_plays_what_the_service_said,
    test_the_service_hears_what_the_phone_sent,
    test_what_was_heard_is_told,
)

pytestmark = pytest.mark.usefixtures("public_sockets")
