"""The page of the audit."""

from pathlib import Path

import pytest

from gateway.console.pages import audit
from gateway.records.audit import AuditRow, add
from tests.console.conftest import browser, console_with, fill, text_of
from tests.records.kept import NINE


async def test_entries_are_shown_and_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first, with a link to older ones; a name that somebody has tried is shown as it is."""
    monkeypatch.setattr(audit, "AT_ONCE", 1)
    console = console_with(tmp_path)
    async with browser(console) as client:
        assert "No records" in await text_of(client, "/audit")
        await fill(console, [])
        assert "Nothing has been done" in await text_of(client, "/audit")
        assert console.database is not None
        for n in range(2):
            row = AuditRow(id=f"e{n}", at=NINE, who=f"<b>{n}", address="192.0.2.1", act="sign_in_failed")
            await add(console.database, row)
        page = await text_of(client, "/audit")
        assert "&lt;b&gt;1" in page
        assert "&lt;b&gt;0" not in page
        assert "sign in failed" in page
        assert "&lt;b&gt;0" in await text_of(client, "/audit?before=e1")
