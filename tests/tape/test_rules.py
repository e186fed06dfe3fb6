import pytest

from gateway.tape import rules


@pytest.mark.parametrize("word", ["completed", "g711_ulaw", "azure_semantic_vad", "response.audio.delta", "alloy"])
def test_words_of_the_service_are_known_from_its_sdk(word: str) -> None:
    """They need no list of ours."""
    assert word in rules.VOCABULARY


@pytest.mark.parametrize(
    ("text", "is_format"),
    [
        ("pcmu/8000", True),
        ("mulaw/8000", True),
        ("audio/l16;rate=24000", True),
        ("audio/x-mulaw", True),
        ("LINEAR16", True),
        ("lawyer", False),
        ("pcmu/8000 of Ann", False),
    ],
)
def test_formats_are_known_by_their_form(text: str, is_format: bool) -> None:
    """In the spelling of a provider that nobody has listed."""
    assert bool(rules.FORMAT.fullmatch(text)) == is_format


def test_first_names_are_no_words_of_the_service() -> None:
    """Voices and avatars have some, and so have callers."""
    assert not {"andrew", "ava", "lisa", "emma", "brian"} & rules.VOCABULARY


@pytest.mark.parametrize(
    ("name", "is_id"),
    [("callSid", True), ("item_id", True), ("id", True), ("CallUUID", True), ("paid", False), ("grid", False)],
)
def test_ids_are_known_by_their_names(name: str, is_id: bool) -> None:
    """A word that happens to end so is none."""
    assert bool(rules.IDS.search(name)) == is_id


@pytest.mark.parametrize("name", ["output_tokens", "max_output_tokens", "cached_tokens_details"])
def test_counts_of_tokens_are_no_secrets(name: str) -> None:
    """They are numbers of the model."""
    assert rules.NOT_SECRETS.search(name)
