"""The settings of the console."""

from pathlib import Path

import pytest

from gateway.config import load_deployment
from gateway.config.console.console import Console, is_loopback


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
