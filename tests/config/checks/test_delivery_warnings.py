"""Warnings of receivers."""

from pathlib import Path

import pytest

from gateway.config import Lines, load_deployment
from gateway.config.checks.deployment_warnings import warnings

SECRET = "whsec_" + "c2VjcmV0" * 4
LINE = "numbers: ['*']\ninstructions: Answer.\n"


def told(folder: Path, gateway: str, line: str = "") -> list[str]:
    """The warnings about receivers."""
    (folder / "lines").mkdir()
    (folder / "lines" / "support.yaml").write_text(LINE + line, "utf-8")
    (folder / "gateway.yaml").write_text(gateway, "utf-8")
    deployment = load_deployment(folder / "gateway.yaml", {"KEY": SECRET})
    return [warning for warning in warnings(deployment, Lines(deployment)) if "deliver" in warning]


def receiver(url: str = "https://a.example", more: str = "") -> str:
    """One receiver."""
    return f'deliver: [{{url: "{url}", secret: "${{KEY}}"{more}}}]\n'


def test_a_receiver_that_gets_all_it_asks_for_is_fine(tmp_path: Path) -> None:
    """Of a deployment, or of a line."""
    assert told(tmp_path, receiver(more=", include: [transcript]"), receiver()) == []


def test_without_records_nothing_is_delivered(tmp_path: Path) -> None:
    """That is told once, whoever the receiver belongs to."""
    found = told(tmp_path, "records: false\n" + receiver(more=", include: [transcript]"), receiver())
    assert found == ["deliver: nothing is delivered, because records: false keeps nothing to deliver"]


def test_without_words_there_is_no_transcript(tmp_path: Path) -> None:
    """It is told once, of those who want one."""
    found = told(tmp_path, "records: {words: false}\n" + receiver(), receiver(more=", include: [usage, transcript]"))
    assert found == ["support: deliver[0].include: there is no transcript, because records.words: false keeps no words"]


@pytest.mark.parametrize(
    ("url", "is_near"),
    [
        ("http://crm.example.com/calls", False),
        ("http://8.8.8.8/", False),
        ("http://127.0.0.1:9000", True),
        ("http://10.1.2.3/calls", True),
        ("http://crm/calls", True),
        ("http://crm.internal", True),
        ("http://[::1]:9000", True),
        ("https://crm.example.com", True),
    ],
)
def test_what_callers_say_does_not_go_unencrypted_over_the_internet(tmp_path: Path, url: str, is_near: bool) -> None:
    """Within a network it may."""
    found = told(tmp_path, receiver(url))
    assert [warning.partition(",")[0] for warning in found] == ["deliver[0].url: is not encrypted"] * (not is_near)
