"""Who may sign in, as the file says it."""

from pathlib import Path

import pytest

from gateway.config import ConfigErrors, load_deployment
from gateway.config.console.passwords import hashed

HASH = hashed("correct horse", 16)
USERS = 'users: {anna: {password: "${HASH}"}}'


def errors(folder: Path, yaml: str) -> list[str]:
    """Return what is wrong with a console."""
    file = folder / "gateway.yaml"
    file.write_text(f"console: {{{yaml}}}\n", "utf-8")
    try:
        load_deployment(file, {"HASH": HASH, "WORD": "secret"})
    except ConfigErrors as found:
        return [str(error).replace(f"{file}:", "") for error in found.errors]
    return []


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("listen: '0.0.0.0:8088'", "without a password"),
        ("listen: 'console.example.com:8088'", "without a password"),
        (f"listen: '0.0.0.0:8088', {USERS}", "expected url beside it"),
        (f"listen: '0.0.0.0:8088', url: 'http://console.example.com', {USERS}", "expected url beside it"),
        ("url: 'https://console.example.com'", "expected users or openid"),
        (f"url: 'http://console.example.com', {USERS}", "in the clear"),
        ("openid: {issuer: 'https://login.example.com', client_id: a, roles: {viewer: [x]}}", "expected url"),
        ("url: 'https://c.example.com', openid: {issuer: 'https://login.example.com', client_id: a}", "lets nobody in"),
        ("users: {anna: {password: secret}}", "secret written into a file"),
        ('users: {anna: {password: "${WORD}"}}', "no hash of a password"),
        ('users: {anna: {password: "${HASH}", roles: []}}', "roles"),
        ('users: {anna: {password: "${HASH}", roles: [boss]}}', "boss"),
    ],
)
def test_what_lets_anybody_or_nobody_in_is_refused(tmp_path: Path, yaml: str, words: str) -> None:
    """At the start and by ``gateway check``, with its place."""
    found = errors(tmp_path, yaml)
    assert found
    assert words in found[0]
    assert found[0].startswith("1:")


@pytest.mark.parametrize(
    "yaml",
    [
        USERS,
        f"listen: '0.0.0.0:8088', url: 'https://console.example.com', {USERS}",
        f"url: 'http://localhost:8088', {USERS}",
        "enabled: false, listen: '0.0.0.0:8088'",
    ],
)
def test_what_people_sign_in_to_is_taken(tmp_path: Path, yaml: str) -> None:
    """On loopback also without TLS, which no other machine could read."""
    assert errors(tmp_path, yaml) == []
