import pytest
from pydantic import ValidationError

from gateway.sim.emulator.refusing.rules import Refuse, UpdateRule, has_member


def test_a_member_inside_is_found_by_its_path() -> None:
    """A path with dots leads into objects; a member that is null is there."""
    session = {"metadata": None, "turn_detection": {"languages": ["en"]}}
    assert has_member(session, "metadata")
    assert has_member(session, "turn_detection.languages")
    assert not has_member(session, "turn_detection.type")
    assert not has_member(session, "metadata.call_id")
    assert not has_member(None, "metadata")


@pytest.mark.parametrize(
    ("value", "sent", "matched"),
    [
        (None, None, True),
        (None, {"type": "near_field"}, False),
        (False, False, True),
        (False, 0, False),
        ({"type": "azure-standard"}, {"type": "azure-standard", "name": "en-US-AvaNeural"}, True),
        ({"type": "azure-standard"}, {"type": "openai", "name": "alloy"}, False),
        ("inf", "inf", True),
    ],
)
def test_a_value_narrows_a_rule(value: object, sent: object, matched: bool) -> None:
    """Null and false are values; a mapping matches by the members that it names."""
    assert UpdateRule(member="x", value=value).matches({"x": sent}, 1) is matched


def test_attempts_models_and_connections_narrow_a_rule() -> None:
    """A rule holds where all that it names holds."""
    rule = UpdateRule(member="x", attempts=[1, 3], models=["gpt-realtime*"], connections=[2])
    assert [attempt for attempt in range(1, 5) if rule.matches({"x": 1}, attempt)] == [1, 3]
    assert rule.holds_for("gpt-realtime-2", 2)
    assert not rule.holds_for("gpt-realtime-2", 1)
    assert not rule.holds_for("gpt-4.1", 2)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"value": 1}, "value needs a member"),
        ({"how": "named"}, "how: named needs a member"),
        ({"how": "loudly"}, "Input should be"),
        ({"membr": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(rule: dict[str, object], message: str) -> None:
    """A script with it does not start."""
    with pytest.raises(ValidationError, match=message):
        Refuse.model_validate({"updates": [rule]})
