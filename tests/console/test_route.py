"""Routes, and who makes a request."""

from aiohttp.test_utils import make_mocked_request

from gateway.console.route import admit, visitor_of
from gateway.console.visitors import LOCAL, NOBODY


def test_a_request_is_nobodys_until_it_is_admitted() -> None:
    """What forgets to ask serves nobody."""
    request = make_mocked_request("GET", "/")
    assert visitor_of(request) is NOBODY
    admit(request, LOCAL)
    assert visitor_of(request) is LOCAL
