"""What only the public upgrade has; all else is tested in tests/sockets/test_upgrade.py, in both ways."""

from typing import Any

import aiohttp
import pytest

from gateway.sockets.public_upgrade import refused


@pytest.mark.parametrize(("status", "kind"), [(101, aiohttp.ClientError), (503, aiohttp.WSServerHandshakeError)])
def test_a_refusal_has_its_status_and_none_of_aiohttp_s_words(status: int, kind: type[Exception]) -> None:
    """They would be taken for the peer's; an upgrade of something else is no refusal."""
    info: Any = None
    theirs = aiohttp.WSServerHandshakeError(info, (), status=status, message="Invalid response status")
    ours = refused(theirs)
    assert type(ours) is kind
    assert getattr(ours, "message", "") == ""
    assert getattr(ours, "status", 101) == status
