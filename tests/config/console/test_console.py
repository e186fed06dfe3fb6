"""The settings of the console."""

from pathlib import Path

import pytest

from gateway.config import ConfigErrors, load_deployment
from gateway.config.console.console import Console, is_loopback
from gateway.config.secrets import values_of


def read(folder: Path, yaml: str) -> Console:
    """Return the section of a ``gateway.yaml``."""
    file = folder / "gateway.yaml"
    file.write_text(yaml, "utf-8")
    return load_deployment(file, {}).console


def test_it_is_on_loopback_unless_it_is_off(tmp_path: Path) -> None:
    """Without a word, with an empty section, and switched off."""
    for yaml in ("lines: lines/*.yaml\n", "console: {}\n", "console: true\n"):
        console = read(tmp_path, yaml)
        assert (console.enabled, console.address) == (True, ("127.0.0.1", 8088))
    assert not read(tmp_path, "console: false\n").enabled
    assert read(tmp_path, "console: {listen: '[::1]:9000'}\n").address == ("::1", 9000)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_known(host: str, own: bool) -> None:
    """Addresses and the name of this machine."""
    assert is_loopback(host) is own


def test_gateways_are_shown_to_who_has_their_key(tmp_path: Path) -> None:
    """Without it they are refused; with it the key may be one or, during a rotation, two; it is off by itself."""
    with pytest.raises(ConfigErrors, match=r"console\.gateways: show their calls to who has their key"):
        read(tmp_path, "console: {gateways: ['http://10.0.0.5:9090']}\n")
    file = tmp_path / "gateway.yaml"
    file.write_text(
        "console: {enabled: false, gateways: ['http://10.0.0.5:9090/'], key: ['${NEW}', '${OLD}']}\n", "utf-8"
    )
    console = load_deployment(file, {"NEW": "n" * 16, "OLD": "o" * 16}).console
    assert console.gateways == ("http://10.0.0.5:9090",)
    assert values_of(console.key) == ("n" * 16, "o" * 16)
    assert console.has_viewers
    assert not read(tmp_path, "console: false\n").has_viewers
    with pytest.raises(ConfigErrors, match="is a secret written into a file"):
        read(tmp_path, "console: {key: written}\n")
