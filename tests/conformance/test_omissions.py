"""What is missing of a provider is asked for by a sentence that says what to write, and where."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.providers import ProviderSettings
from tests.conformance import test_call_control, test_parts, test_starts, test_transcripts, wires
from tests.conformance.accounts import account
from tests.conformance.own import own
from tests.conformance.transcripts import read
from tests.documents import ROOT

PROVIDER = "gateway/phone/providers/twilio/provider.py"
TRANSCRIPT = "tests/transcripts/twilio/call.jsonl"
FILES = (
    PROVIDER,
    TRANSCRIPT,
    "gateway/phone/providers/twilio/__init__.py",
    "gateway/sim/providers/twilio.py",
    "tests/phone/providers/twilio/test_provider.py",
    "docs/providers/twilio.md",
    "docs/providers.md",
    "CHANGELOG.md",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the files of one provider."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(test_parts, "ROOT", tmp_path)
    return tmp_path


Check = Callable[[str], None]


@pytest.mark.parametrize("part", test_parts.PARTS)
def test_a_part_that_is_missing(project: Path, part: str) -> None:
    """Module, simulated end, tests or page: each with its pattern."""
    path = part.format(name="twilio")
    test_parts.test_each_part_of_a_provider_is_there("twilio", part)
    (project / path).unlink()
    wanted = f"twilio: write {path}: .*; the pattern is {test_parts.TEMPLATE}/"
    with pytest.raises(AssertionError, match=wanted):
        test_parts.test_each_part_of_a_provider_is_there("twilio", part)


@pytest.mark.parametrize(
    ("path", "old", "new", "check", "sentence"),
    [
        (
            TRANSCRIPT,
            "",
            "",
            test_parts.test_a_provider_has_golden_transcripts,
            "twilio: write tests/transcripts/twilio/call.jsonl: the vendor's messages, byte for byte, and their events",
        ),
        (
            "tests/phone/providers/twilio/test_provider.py",
            "def test_",
            "def no_test_",
            test_parts.test_a_provider_has_tests_of_its_own,
            "twilio: write tests into tests/phone/providers/twilio/test_provider.py",
        ),
        (
            "docs/providers.md",
            "[Twilio]",
            "[Another]",
            test_parts.test_a_provider_has_its_row_in_the_table,
            "twilio: write this row into the table of docs/providers.md:",
        ),
        (
            "CHANGELOG.md",
            "Twilio",
            "Another",
            test_parts.test_a_provider_is_in_the_changelog,
            "twilio: write a line with 'Twilio' under the first Added of CHANGELOG.md",
        ),
        (
            "docs/providers/twilio.md",
            "    auth_token:",
            "    token:",
            test_parts.test_the_page_shows_every_key,
            "twilio: show the key auth_token in the yaml of docs/providers/twilio.md, In gateway.yaml",
        ),
        (
            PROVIDER,
            "from gateway.config.secrets",
            "from gateway.phone.providers.plivo import provider\nfrom gateway.config.secrets",
            test_parts.test_a_provider_imports_no_other,
            f"{PROVIDER}: imports gateway.phone.providers.plivo.provider, another provider",
        ),
    ],
    ids=["transcript", "tests", "row", "changelog", "key", "import"],
)
def test_a_line_that_is_missing(project: Path, path: str, old: str, new: str, check: Check, sentence: str) -> None:
    """In a file that is there."""
    check("twilio")
    text = (project / path).read_text("utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new) if old else "", "utf-8")
    with pytest.raises(AssertionError) as caught:
        check("twilio")
    assert sentence in str(caught.value)


def test_no_word_of_how_a_number_is_pointed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence for the operator."""

    monkeypatch.setattr(test_call_control, "bare", lambda name: object())
    with pytest.raises(AssertionError, match=r"twilio: write pointing into gateway/phone/providers/twilio/provider.py"):
        test_call_control.test_a_number_is_pointed_by_an_api_or_by_hand("twilio")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('{"digit":"1"}', '{"digit":"2"}', '{"event":{"DigitPressed":{"digit":"1"}}}'),
        ('{"event":{"DigitPressed":{"digit":"1"}}}\n', "", '{"event":{"DigitPressed":{"digit":"1"}}}'),
        ('{"out":"{\\"event\\":\\"clear\\"', '{"out":"{\\"event\\":\\"stop\\"', '{"out":"{\\"event\\":\\"clear\\"'),
        ("DigitPressed", "KeyPressed", "KeyPressed is none of CallStarted, "),
        ('"name":"g1-1"', '"title":"g1-1"', "required field `name`"),
        ('{"event":{"DigitPressed', '{"events":{"DigitPressed', "'events' is no kind of line"),
    ],
    ids=["event", "no event", "message", "unknown event", "unknown member", "unknown line"],
)
def test_a_transcript_that_is_wrong(project: Path, old: str, new: str, sentence: str) -> None:
    """The line that is wrong, and the lines that would be right."""
    file = project / TRANSCRIPT
    test_transcripts.test_a_wire_does_what_its_transcript_says(read("twilio", file))
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(AssertionError) as caught:
        test_transcripts.test_a_wire_does_what_its_transcript_says(read("twilio", file))
    assert f"{TRANSCRIPT}:" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_key_of_the_account_that_the_settings_have_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places are named."""
    monkeypatch.setattr("tests.conformance.accounts.settings_of", lambda name: Bare)
    with pytest.raises(AssertionError) as caught:
        account("twilio")
    assert "twilio: open_account in gateway/sim/providers/twilio.py gives" in str(caught.value)
    assert "auth_token, which class Bare in gateway/config/providers.py has not" in str(caught.value)


class Bare(ProviderSettings):
    """A provider's settings without any key of its own."""


def test_a_start_that_is_refused_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; tests that need it are skipped."""
    monkeypatch.setattr(wires, "start_text", lambda provider: '{"event":"start"}')
    wires.refusal.cache_clear()
    try:
        with pytest.raises(AssertionError, match=f"{TRANSCRIPT}: the codec refuses the start, .*: start"):
            test_starts.test_the_golden_start_is_taken("twilio")
        with pytest.raises(pytest.skip.Exception, match="twilio: the golden start is refused"):
            wires.begun("twilio")
    finally:
        wires.refusal.cache_clear()


@pytest.mark.parametrize(
    ("part", "check"),
    [
        ("sign", test_parts.test_a_provider_that_asks_us_says_how_it_signs),
        ("ANNOUNCED", test_parts.test_a_provider_with_webhooks_of_json_shows_two),
        ("ENDED", test_parts.test_a_provider_with_webhooks_of_json_shows_two),
    ],
)
def test_a_part_of_its_tests_that_is_missing(monkeypatch: pytest.MonkeyPatch, part: str, check: Check) -> None:
    """By its name, and with the pattern."""
    check("telnyx")
    monkeypatch.setattr(test_parts, "own", lambda name, asked: None if asked == part else own(name, asked))
    with pytest.raises(AssertionError, match=rf"telnyx: write {part}, .* into tests/phone/providers/telnyx/test_pro"):
        check("telnyx")


def test_keys_that_no_transcript_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Either the transcript or the traits are to be changed."""
    monkeypatch.setattr(test_call_control, "transcripts", lambda name: [])
    with pytest.raises(AssertionError, match=r"add a key, .* or set keys_in=False in the traits"):
        test_call_control.test_a_provider_that_brings_keys_shows_one("twilio")
