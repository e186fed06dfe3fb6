"""The emulator's script for each of the SDK's live tests, by what the test expects of the service."""

from collections.abc import Mapping, Sequence

from gateway.sim.emulator import Script

Turn = Mapping[str, object]
PLACE = '{"location":"Beijing"}'
WEATHER: Turn = {"call": {"name": "get_weather", "arguments": PLACE}, "after_call": "It is sunny, 25 degrees."}
ANSWER = "The largest lake in the world is the Caspian Sea, between Europe and Asia, which has no outlet to an ocean."
QUESTION = "What's the largest lake in the world?"
FILLER: Sequence[Turn] = [{"heard": "Uh.", "say": ANSWER, "filler": True}]

_TURNS: Mapping[str, Sequence[Turn]] = {
    "test_realtime_service_tool_call": [{"call": {"name": "assess_pronunciation"}, "after_call": "Well said."}],
    "test_realtime_service_tool_choice": [{"call": {"name": "get_time", "arguments": PLACE}}],
    "test_realtime_service_tool_call_parameter": [{"say": "I will get the weather for you.", **WEATHER}],
    "test_realtime_service_with_filler_word_removal": FILLER,
    "test_realtime_service_with_filler_word_removal_multilingual": FILLER,
    "test_realtime_service_live_session_update": [{"say": ANSWER}, WEATHER],
}


def script_for(test: str) -> Script:
    """Return the script for the test function of this name."""
    turns = _TURNS.get(test, [{"heard": QUESTION, "say": ANSWER}])
    return Script.model_validate({"greeting": ANSWER, "turns": turns, "unprompted": ANSWER})
