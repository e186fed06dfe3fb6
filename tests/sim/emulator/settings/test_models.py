import pytest

from gateway.sim.emulator.settings.models import rules_of


@pytest.mark.parametrize(
    ("model", "native", "openai"),
    [
        ("gpt-realtime", True, True),
        ("gpt-4o-realtime-preview", True, True),
        ("gpt-realtime-datazone", True, True),
        ("azure-realtime", True, False),
        ("phi4-mm-realtime", False, False),
        ("phi4-mini", False, False),
        ("gpt-4.1", False, False),
        ("gpt-9-realtime", True, True),
        ("somebody-s-realtime", True, False),
        ("anything", False, False),
    ],
)
def test_a_model_is_known_by_its_name(model: str, native: bool, openai: bool) -> None:
    """Phi is cascaded despite its name; what is unknown is judged by the word realtime."""
    assert (rules_of(model).native, rules_of(model).openai) == (native, openai)


def test_the_first_row_that_matches_counts() -> None:
    """A chat model of the GPT-5 family does not reason; the newer ones reason when they are asked to."""
    assert not rules_of("gpt-5-chat").reasons
    assert not rules_of("gpt-5.2-chat").reasons
    assert (rules_of("gpt-5").effort, rules_of("gpt-5.1").effort) == ("minimal", "none")
    assert rules_of("gpt-realtime-2.1-mini").azure_vad
    assert not rules_of("gpt-realtime-1.5").azure_vad
