"""The receivers of events in words."""

from pathlib import Path

from gateway.config import load_deployment
from gateway.config.telling.describe_receivers import describe_receivers

SECRET, OLD = "whsec_" + "bmV3" * 8, "whsec_" + "b2xk" * 8
TWO = """
deliver:
  - {name: crm, url: "https://crm.example/calls?key=1", secret: ["${NEW}", "${OLD}"], include: [transcript, usage]}
  - {url: "http://10.0.0.7:9000/", secret: "${NEW}", events: [call.started]}
"""


def test_each_receiver_is_told_without_its_secret(tmp_path: Path) -> None:
    """A query may hold a secret too; without receivers there are no words."""
    file = tmp_path / "gateway.yaml"
    file.write_text(TWO, "utf-8")
    assert describe_receivers(load_deployment(file, {"NEW": SECRET, "OLD": OLD})).splitlines() == [
        "deliver, on lines without deliver:",
        "  crm        https://crm.example/calls, call.ended call.interrupted, with transcript usage, "
        "secret: new and old",
        "  10.0.0.7   http://10.0.0.7:9000, call.started",
    ]
    file.write_text("listen: {}\n", "utf-8")
    assert describe_receivers(load_deployment(file, {})) == ""
