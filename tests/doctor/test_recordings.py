"""The store of recordings, tried."""

from pathlib import Path

from gateway.config import Deployment, load_deployment
from gateway.doctor.recordings import store_tried
from gateway.doctor.row import Outcome


def deployed(folder: Path, store: str) -> Deployment:
    """Return a deployment with a store."""
    file = folder / "gateway.yaml"
    file.write_text(f'recordings: {{store: "{store}"}}\n')
    return load_deployment(file, {})


async def test_a_store_that_can_be_written_is_fine(tmp_path: Path) -> None:
    """Nothing is left in it."""
    row = await store_tried(deployed(tmp_path, "kept"))
    assert (row.outcome, row.about) == (Outcome.FINE, "kept")
    assert list((tmp_path / "data" / "kept").iterdir()) == []
    assert (await store_tried(deployed(tmp_path, "memory://kept"))).outcome is Outcome.FINE


async def test_a_store_that_cannot_be_written_reduces_what_is_configured(tmp_path: Path) -> None:
    """The row says what to mend; calls go on without it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("")
    row = await store_tried(deployed(tmp_path, "file"))
    assert row.outcome is Outcome.REDUCED
    assert str(tmp_path / "data" / "file") in row.detail
    assert "write" in row.remedy
    row = await store_tried(deployed(tmp_path, "nowhere://kept"))
    assert row.outcome is Outcome.REDUCED
    assert row.remedy
