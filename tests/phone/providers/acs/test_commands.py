"""The requests to ACS' REST API, and their signature."""

from gateway.phone.providers.acs.commands import TONES, AcsCommands, sign
from gateway.phone.providers.acs.connections import Connections
from tests.phone.parts import written


def test_the_signature_of_requests() -> None:
    """Computed apart from this code, over the algorithm of "Sign an HTTP request with HMAC"."""
    url = "https://contoso.communication.azure.com/calling/callConnections:answer?api-version=2025-05-15"
    headers = sign("POST", url, b'{"a":1}', b"0123456789abcdef0123456789abcdef", "Tue, 14 Nov 2023 22:13:20 GMT")
    assert headers == {
        "x-ms-date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "x-ms-content-sha256": "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=",
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        "v2eguoRgttTWZYRycFIWFOWJm5/hWnkqTM3IEeAOEPI=",
    }


def test_a_request_is_signed_at_the_moment_of_asking() -> None:
    """With the date of then."""
    now_s = 1_700_000_000.0
    commands = AcsCommands("https://contoso.communication.azure.com", b"key", Connections(), lambda: now_s)
    (first,) = written(commands.hang_up("c"))
    now_s += 60
    (second,) = written(commands.hang_up("c"))
    assert first.headers["x-ms-date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert second.headers["x-ms-date"] == "Tue, 14 Nov 2023 22:14:20 GMT"
    assert first.headers["Authorization"] != second.headers["Authorization"]


def test_there_is_a_tone_for_each_key() -> None:
    """Sixteen, as a keypad can have."""
    assert set(TONES) == set("0123456789*#ABCD")
