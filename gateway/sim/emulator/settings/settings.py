"""The effective session: the result of all updates, as the service would echo it and as it is in force."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.audio.formats import L16_24K, AudioFormat
from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.listening.ear import Sensitivity
from gateway.sim.emulator.record import Event, Rejected
from gateway.sim.emulator.settings.engine import Engine, azure_speech, voice_echo
from gateway.sim.emulator.settings.fields import Fields, ResponseFields, SessionFields
from gateway.sim.emulator.settings.formats import OUTPUT, input_format
from gateway.sim.emulator.settings.old_names import FIRST_GENERAL, check_old_names
from gateway.sim.emulator.settings.rules import Change, Stage, check, check_tools

_FieldsT = TypeVar("_FieldsT", bound=Fields)
_ECHOED_VAD_KEYS = ("idle_timeout_ms", "appended_text_after_truncation")
ECHOED_SEMANTIC_KEYS = {
    "profile": "classic",
    **dict.fromkeys(
        (
            "end_of_utterance_detection",
            "neg_threshold",
            "window_size",
            "distinct_ci_phones",
            "require_vowel",
            "require_vowel_assistant_speaking",
        )
    ),
}
"""Members that sessions with Azure's semantic turn detection show besides; most are known from recordings alone."""
_NO_END = dict.fromkeys(("threshold_level", "timeout_ms", "threshold", "timeout"))
"""The members of ``end_of_utterance_detection`` as they are echoed where they were left out, old names included."""
_OLD_TRANSCRIPTION_KEYS = frozenset(("enabled", "custom_model"))


class Settings:
    """The settings of one session. ``echo`` is the dict that ``session.updated`` carries."""

    def __init__(
        self,
        engine: Engine,
        *,
        strict: bool,
        expire_after_s: float | None = None,
        features: str = "",
        overrides: Event | None = None,
    ) -> None:
        self.engine = engine
        self.strict = strict
        self._overrides = overrides or {}
        self._asked = engine.new_session(expire_after_s)
        self.echo = self._asked
        self.updates = 0
        self.output_format_asked: str | None = None
        """The output format that the client asked for, which responses show; None while it has asked for none."""
        self.conversation_id = new_id("conv", native=True) if engine.native else ""
        """The conversation's id as responses show it; cascaded engines show none."""
        self._client_echo_reference = "client_ec_reference:true" in features

    def update(self, session: object, *, audio_received: bool, has_spoken: bool) -> None:
        """Take the body of a ``session.update`` as a whole, or raise :class:`Rejected` and take nothing."""
        session = self._without_model(session)
        if self.strict:
            check_old_names(session, self.engine.api_version)
        fields = parse(SessionFields, session, "session", strict=self.strict)
        after = copy.deepcopy(self._asked)
        for key in fields.model_fields_set:
            after[key] = self._echoed(key, getattr(fields, key))
        if after["input_audio_format"] != "pcm16" and "input_audio_sampling_rate" not in fields.model_fields_set:
            after["input_audio_sampling_rate"] = 8000
        change = Change(
            engine=self.engine,
            before=self._asked,
            after=after,
            sent=frozenset(fields.model_fields_set),
            stage=Stage(settled=self.updates > 0 or audio_received, has_spoken=has_spoken),
            tools=tuple(fields.tools or ()),
            client_echo_reference=self._client_echo_reference,
        )
        check(change, strict=self.strict)
        self._asked = after
        self.echo = overridden(after, self._overrides)
        if fields.output_audio_format is not None:
            self.output_format_asked = self.echo["output_audio_format"]
        self.updates += 1

    def _without_model(self, session: object) -> object:
        """Return the body without its model, which may be repeated (live tests of the JavaScript and .NET SDKs)."""
        if not isinstance(session, Mapping) or "model" not in session:
            return session
        if self.strict and session["model"] not in (None, self.engine.model, self.engine.resolved_model):
            raise Rejected(
                "The model of a session cannot be updated.", code="invalid_request_error", param="session.model"
            )
        return {key: value for key, value in session.items() if key != "model"}

    def _echoed(self, key: str, value: Any) -> Any:
        """Return a field's new value; what an absent or null field means depends on the field and the engine."""
        match key:
            case "instructions":
                return value or (self.engine.default_instructions if self.engine.native else "")
            case "voice":
                return voice_echo(value.model_dump(exclude_unset=True)) if value is not None else self._asked["voice"]
            case "turn_detection":
                return self._turn_detection(value) if value is not None else None
            case "input_audio_transcription":
                return self._transcription(value)
            case "tools":
                return [tool.model_dump(exclude_unset=True) for tool in value or ()]
            case "modalities" | "input_audio_format" | "input_audio_sampling_rate" | "output_audio_format":
                return value if value is not None else self._asked[key]
        return value.model_dump() if isinstance(value, BaseModel) else value

    def _turn_detection(self, detection: BaseModel) -> Event:
        echo = detection.model_dump(exclude_unset=True)
        if echo["type"] == "semantic_vad":
            return {
                "type": "semantic_vad",
                "eagerness": echo.get("eagerness") or "auto",
                "create_response": echo.get("create_response") is not False,
                "interrupt_response": echo.get("interrupt_response") is not False,
                "auto_truncate": bool(echo.get("auto_truncate")),
            }
        numbers = self.engine.vad_numbers(echo["type"])
        for key, default in numbers.items():
            # Native sessions echo the numbers in force; cascaded ones echo null for what was left out.
            shown = default if self.engine.native and key != "speech_duration_ms" else None
            echo[key] = echo.get(key) if echo.get(key) is not None else shown
        for key, default_flag in (("create_response", True), ("interrupt_response", True), ("auto_truncate", False)):
            echo[key] = default_flag if echo.get(key) is None else echo[key]
        for key in _ECHOED_VAD_KEYS:
            echo.setdefault(key, None)
        if echo["type"] != "server_vad":
            echo = {**ECHOED_SEMANTIC_KEYS, "remove_filler_words": False, **echo}
        elif self.engine.shows_end_of_utterance:
            echo.setdefault("end_of_utterance_detection", None)
        if echo.get("end_of_utterance_detection") is not None:
            level = None if self.engine.api_version < FIRST_GENERAL else "default"
            judge = {**_NO_END, "threshold_level": level, **echo["end_of_utterance_detection"]}
            echo["end_of_utterance_detection"] = judge
        return echo

    def _transcription(self, value: BaseModel | None) -> Event | None:
        if value is None:
            return None if self.engine.native else azure_speech("")
        unset = _OLD_TRANSCRIPTION_KEYS - value.model_fields_set
        echo = value.model_dump(exclude=set(unset))
        if echo["language"] is None and not self.engine.native:
            echo["language"] = ""
        return echo

    @property
    def native(self) -> bool:
        """True if the engine is a native one."""
        return self.engine.native

    @property
    def input_format(self) -> AudioFormat:
        """The format of appended audio."""
        return input_format(self.echo["input_audio_format"], self.echo["input_audio_sampling_rate"]) or L16_24K

    @property
    def output_format(self) -> AudioFormat:
        """The format of the assistant's audio."""
        return OUTPUT[self.output_name]

    @property
    def output_name(self) -> str:
        """The name of the assistant's audio format: what is shown or, where that is unknown, what was asked for."""
        shown = self.echo["output_audio_format"]
        return str((shown if shown in OUTPUT else self._asked["output_audio_format"]) or "pcm16")

    @property
    def transcribes(self) -> str | None:
        """The transcription model, if there is one."""
        transcription = self.echo["input_audio_transcription"]
        return None if transcription is None else str(transcription["model"])

    @property
    def turn_detection(self) -> Event | None:
        """The turn detection as echoed; None in manual mode."""
        detection: Event | None = self.echo["turn_detection"]
        return detection

    @property
    def sensitivity(self) -> Sensitivity:
        """The voice activity numbers in force."""
        detection = self.turn_detection or {"type": "server_vad"}
        numbers: dict[str, Any] = self.engine.vad_numbers(detection["type"])
        given = {key: detection[key] for key in numbers if detection.get(key) is not None}
        return Sensitivity(**{**numbers, **given})

    def detects(self, flag: str) -> bool:
        """Return create_response, interrupt_response or auto_truncate of ``turn_detection``; False in manual mode."""
        return bool(self.turn_detection and self.turn_detection.get(flag))

    @property
    def language(self) -> str:
        """The language of the assistant's voice, as far as its name shows it."""
        voice = self.echo["voice"]
        locale = str(voice.get("locale") or voice["name"])
        if "-" in locale:
            return locale.partition("-")[0].lower()
        transcription = self.echo["input_audio_transcription"] or {}
        return str(transcription.get("language") or "en").partition("-")[0].lower()


def overridden(session: Event, overrides: Event) -> Event:
    """Return a copy of ``session`` with the members of ``overrides``, mappings merged."""
    merged = dict(session)
    for key, value in overrides.items():
        before = merged.get(key)
        merged[key] = overridden(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def parse_response(response: object, settings: Settings) -> ResponseFields:
    """Parse the parameters of a ``response.create``; :class:`Rejected` where they cannot be used."""
    fields = parse(ResponseFields, {} if response is None else response, "response", strict=settings.strict)
    voice = settings.echo["voice"]["type"]
    if voice == "openai" and len(set(fields.modalities or ())) > 1:
        raise Rejected(
            "Invalid modalities: ['text', 'audio']. Supported combinations are: ['text'] and ['audio'].",
            code="invalid_value",
            param="response.modalities",
        )
    check_tools(fields.tools or (), settings.engine, "response")
    for key in ("instructions", "tools"):
        if settings.engine.agent is not None and getattr(fields, key) is not None:
            raise Rejected(
                f"Overriding {key} in response.create is not supported with Agent service.",
                code="invalid_request_error",
                param=f"response.{key}",
            )
    return fields


def parse(model: type[_FieldsT], body: object, name: str, *, strict: bool) -> _FieldsT:
    """Parse ``body`` as ``model``; :class:`Rejected` names the first wrong field. Not strict: drops the unknown."""
    if not isinstance(body, Mapping):
        raise Rejected(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)
    try:
        return model.model_validate(body)
    except ValidationError as error:
        problems = error.errors()
    unknown = [problem["loc"] for problem in problems if problem["type"] == "extra_forbidden"]
    if unknown and not strict:
        pruned = copy.deepcopy(dict(body))
        for location in unknown:
            _remove(pruned, location)
        return parse(model, pruned, name, strict=True)
    raise _rejection(problems[0], body, name)


def _rejection(problem: Any, body: object, name: str) -> Rejected:
    param = ".".join([name, *map(str, _path(body, problem["loc"], missing=problem["type"] == "missing"))])
    match problem["type"]:
        case "extra_forbidden":
            return Rejected(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)
        case "missing":
            return Rejected(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)
    return Rejected(f"Invalid value for '{param}': {problem['msg']}.", code="invalid_value", param=param)


def _path(body: Any, location: Sequence[int | str], *, missing: bool = False) -> list[int | str]:
    """Return where in ``body`` a problem is: its location without the tags of unions' branches."""
    path: list[int | str] = []
    for part in location:
        if isinstance(body, list) and isinstance(part, int):
            body = body[part]
        elif isinstance(body, Mapping) and (part in body or (missing and part == location[-1])):
            body = body.get(part)
        else:
            continue
        path.append(part)
    return path


def _remove(body: Any, location: Sequence[int | str]) -> None:
    *path, last = _path(body, location)
    for key in path:
        body = body[key]
    del body[last]
