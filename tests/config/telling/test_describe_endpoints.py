"""The Voice Live endpoints in words."""

from pathlib import Path

from gateway.config import load_deployment
from gateway.config.telling.describe_endpoints import describe_endpoints

TWO = """
voice_live:
  endpoints:
    - {name: spare, endpoint: "https://east.example", priority: 2, models: [gpt-realtime, gpt-4.1]}
    - {endpoint: "https://west.example", key: "${WEST}", weight: 2, limits: {sessions: 5, sessions_per_minute: 9}}
"""


def test_several_endpoints_are_told_in_the_order_of_their_use(tmp_path: Path) -> None:
    """Without their keys; a single one needs no words."""
    file = tmp_path / "gateway.yaml"
    file.write_text(TWO, "utf-8")
    assert describe_endpoints(load_deployment(file, {"WEST": "secret"})).splitlines() == [
        "endpoints:",
        "  west       https://west.example, API key, priority 1, weight 2, 5 sessions at once, 9 new in a minute",
        "  spare      https://east.example, Microsoft Entra ID, priority 2, weight 1, models gpt-realtime, gpt-4.1",
    ]
    file.write_text("voice_live: {}\n", "utf-8")
    assert describe_endpoints(load_deployment(file, {})) == ""
