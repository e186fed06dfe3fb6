"""Finds the recordings that a simulated call plays, and the words that the emulator reports as heard."""

from collections.abc import Sequence
from pathlib import Path

from gateway.config import Deployment, Line
from gateway.config.reading.problems import suggestion
from gateway.errors import RecordingError
from gateway.sim.caller.keys import Press
from gateway.sim.emulator import Script, load_script
from gateway.sim.prompts import caller_prompt, caller_prompts, words_of


def found(path: Path) -> Path:
    """Return the file or, if there is none, the recording of that name that comes with the gateway.

    Raises ``RecordingError`` for a name that is neither.
    """
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path
    prompt = caller_prompt(str(path))
    if prompt is None:
        known = suggestion(str(path), [one.path.stem for one in caller_prompts()])
        raise RecordingError(f"{path}: no such file, and no recording of that name comes with the gateway, {known}")
    return prompt.path


def script_of(
    script: Path | None,
    deployment: Deployment,
    line: Line,
    recordings: Sequence[Path],
    presses: Sequence[Press],
) -> Script | None:
    """Return the emulator's script, or None if a model answers.

    The caller's words are known only for our own recordings, and only if each of them is one turn.
    """
    if script:
        return load_script(script)
    if deployment.voice_live.endpoint or deployment.voice_live.endpoints:
        return None
    words = [words_of(path.read_bytes()) for path in recordings]
    in_turns = line.settings.turn_detection is not None and all(press.at_ms is None for press in presses)
    if in_turns and recordings and None not in words:
        return Script.answering([text for text in words if text])
    return Script.without_words()
