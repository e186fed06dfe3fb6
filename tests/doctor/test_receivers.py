"""The receivers of events, tried."""

import json
from pathlib import Path

from gateway.config import Lines, load_deployment
from gateway.doctor.receivers import receivers_tried
from gateway.doctor.row import Outcome
from tests.records.delivery.receiving import SECRET, receiving


async def test_each_receiver_is_reached_and_gets_nothing(tmp_path: Path) -> None:
    """Those of the deployment and of its lines; one that is down reduces what is configured."""
    async with receiving() as down:
        pass
    async with receiving() as server:
        urls = {"crm": server.url, "pager": down.url}
        both = [{"url": url, "name": name, "secret": "${KEY}"} for name, url in urls.items()]
        (tmp_path / "lines").mkdir()
        line = f"numbers: ['*']\ninstructions: Answer.\ndeliver: {json.dumps(both[:1])}\n"
        (tmp_path / "lines" / "support.yaml").write_text(line, "utf-8")
        (tmp_path / "gateway.yaml").write_text(f"deliver: {json.dumps(both)}\n", "utf-8")
        deployment = load_deployment(tmp_path / "gateway.yaml", {"KEY": SECRET})
        rows = await receivers_tried(deployment, list(Lines(deployment)))
        assert server.got == []
    assert [(row.about, row.outcome) for row in rows] == [
        ("crm", Outcome.FINE),
        ("pager", Outcome.REDUCED),
        ("support/crm", Outcome.FINE),
    ]
    assert "redeliver --test crm" in rows[0].detail
    assert rows[1].detail.startswith("connection: ")
    assert rows[1].remedy


async def test_without_receivers_nothing_is_tried(tmp_path: Path) -> None:
    """There is no row."""
    (tmp_path / "gateway.yaml").write_text("listen: {}\n", "utf-8")
    assert await receivers_tried(load_deployment(tmp_path / "gateway.yaml", {}), []) == []
