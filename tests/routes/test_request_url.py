"""The public URL of a request, as signatures cover it."""

import pytest

from gateway.routes.request_url import path_and_query


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/answer/twilio?a=%20b", "/answer/twilio?a=%20b"),
        ("//answer/twilio", "//answer/twilio"),
        ("http://h:8443/answer/twilio?a=http://b/c", "/answer/twilio?a=http://b/c"),
        ("HTTPS://H/answer/twilio", "/answer/twilio"),
        ("http://h", ""),
    ],
)
def test_a_target_may_be_a_whole_url(target: str, path: str) -> None:
    """RFC 9112 §3.2.2: a server takes the absolute form too; its host is not believed."""
    assert path_and_query(target) == path
