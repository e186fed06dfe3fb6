"""Styles and scripts."""

import re
from pathlib import Path

from gateway.console.static_files import STATIC, files
from tests.console.test_protection import Served


async def test_every_file_is_there_and_no_other(served: Served) -> None:
    """With its type; a path that leaves the folder finds nothing."""
    async with served as client:
        for name, content in files().items():
            async with client.get(f"/static/{name}") as answer:
                assert (answer.status, await answer.read()) == (200, content)
                assert (answer.content_type == "text/css") == name.endswith(".css")
        for name in ("%2e%2e/application.py", "..%2fapplication.py", "nothing.css", "vendor"):
            async with client.get(f"/static/{name}") as answer:
                assert answer.status == 404


def test_what_is_from_others_has_its_licence_beside_it() -> None:
    """Each folder of ``vendor`` has a file LICENSE."""
    vendor = STATIC / "vendor"
    assert all((folder / "LICENSE").is_file() for folder in vendor.glob("*"))


def test_no_template_has_what_the_policy_refuses() -> None:
    """No script or style within a page, no handler in an attribute, nothing from another host."""
    for template in (Path(STATIC.parent) / "templates").glob("*.j2"):
        text = template.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", text), template.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template.name
