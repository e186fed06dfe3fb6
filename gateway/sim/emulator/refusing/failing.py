"""Settings with which a session is accepted, and every response fails.

Sources: pydantic-ai 2.68 (``realtime/azure.py``) reports both for models behind Azure's speech to text: an effort of
reasoning for a model that has none, and a temperature other than the default while a model reasons. Models of its own
speech, such as ``gpt-realtime-2``, take a temperature while they reason.
"""

from gateway.sim.emulator.record import Event
from gateway.sim.emulator.settings.engine import Engine
from gateway.sim.emulator.settings.fields import ResponseFields


def failure_of(engine: Engine, session: Event, request: ResponseFields) -> str | None:
    """Return why a response with the settings of ``session`` and ``request`` fails; ``None`` where it does not."""
    if engine.native or engine.agent is not None or engine.own:
        return None
    effort = request.reasoning_effort or session.get("reasoning_effort")
    temperature = request.temperature if request.temperature is not None else session.get("temperature")
    if request.pre_generated_assistant_message is not None:
        return None
    if effort is not None and not engine.rules.reasons:
        return f"Unsupported parameter: 'reasoning_effort' is not supported with '{engine.model}'."
    reasons = engine.rules.reasons and (engine.rules.always or (effort or engine.rules.effort) != "none")
    if reasons and temperature not in (None, 1, engine.rules.temperature):
        return f"Unsupported value: 'temperature' does not support {temperature:g} with '{engine.model}'."
    return None
