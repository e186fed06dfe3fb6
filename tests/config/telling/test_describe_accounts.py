"""Which accounts are served, in words."""

from pathlib import Path

from gateway.config.telling.describe_accounts import describe_accounts
from tests.e2e.rig import LINE, configuration, load


def test_accounts_are_described(tmp_path: Path) -> None:
    """Whose each is, where its values come from, and what is just being replaced."""
    text = "public_url: https://h\nproviders: {twilio: {}, eu: {provider: plivo}}\n"
    environ = {"EU_AUTH_TOKEN": "a", "EU_AUTH_TOKEN_OLD": "b"}
    deployment, _ = load(configuration(tmp_path, {"support": LINE}, text), environ)
    assert describe_accounts(deployment).splitlines() == [
        "providers:",
        "  twilio     variables TWILIO_…",
        "  eu         an account at plivo, variables EU_…, auth_token: new and old",
    ]
