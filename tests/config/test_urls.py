"""URLs that a request can go to."""

from pathlib import Path

import pytest

from gateway.config import load_deployment
from gateway.config.line.tools import is_http_url
from gateway.config.urls import can_be_asked
from gateway.errors import InputError

NO_HOST = ["https://a..b", "https://.a", f"https://{'a' * 64}.example", "https://h:99999", "https://h:0", "https://h:x"]


@pytest.mark.parametrize(
    "url",
    ["https://h", "https://h.example.:8443/x", "http://[::1]:80", "https://1.2.3.4", f"https://{'a' * 63}.example"],
)
def test_names_and_addresses(url: str) -> None:
    """With or without a port."""
    assert can_be_asked(url)


@pytest.mark.parametrize("url", [*NO_HOST, "https://", "https://[::1", "h", ""])
def test_what_cannot_be_looked_up(url: str) -> None:
    """It would fail at the first request, or at the first webhook."""
    assert not can_be_asked(url)


@pytest.mark.parametrize("url", NO_HOST)
@pytest.mark.parametrize(
    "key", ["public_url: '{}'", "voice_live: {{endpoint: '{}'}}", "providers: {{twilio: {{api_url: '{}'}}}}"]
)
def test_every_address_of_a_configuration_is_looked_at(tmp_path: Path, key: str, url: str) -> None:
    """Our own, the service's, the REST APIs', and the tools'."""
    file = tmp_path / "gateway.yaml"
    file.write_text(key.format(url), "utf-8")
    with pytest.raises(InputError, match="is not an address that can be used"):
        load_deployment(file, {})
    assert not is_http_url(url)
