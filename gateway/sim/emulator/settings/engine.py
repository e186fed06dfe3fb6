"""The two classes of engine of the protocol, and a new session of each before its first update.

Values are those of recorded sessions (gpt-4.1, gpt-realtime, gpt-realtime-2) as of autumn 2026, null keys included.
"""

import time
from dataclasses import dataclass

from gateway.sim.emulator.ids import new_id
from gateway.sim.emulator.record import Event
from gateway.sim.emulator.settings.models import OWN_NATIVE, OWN_TEXT, ModelRules, rules_of
from gateway.sim.emulator.settings.old_names import FIRST_GENERAL

OPENAI_VOICES = frozenset(["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"])
AZURE_REALTIME_VOICES = frozenset(
    ["aarti", "andrew", "ava", "denise", "diya", "elsa", "florian", "francisca", "meera", "xiaoxiao", "ximena", "yunxi"]
)
_NEW_VAD_NUMBERS_SINCE = "2026-04-10"
_LATER_KEYS = ("truncation_strategy", "include", "greeting", "handoff")
"""The keys that a session of the first preview did not show."""

_NATIVE_PROMPT = (
    "Your knowledge cutoff is 2023-10. You are a helpful, witty, and friendly AI. Act like a human, but remember that "
    "you aren't a human and that you can't do human things in the real world. Your voice and personality should be "
    "warm and engaging, with a lively and playful tone. Talk quickly. You should always call a function if you can."
)
_CASCADED_PROMPT = "You are a speech chat assistant.\nYour personality is: friendly and concise."

_AZURE_VOICE_KEYS = (
    "temperature",
    "custom_lexicon_url",
    "custom_text_normalization_url",
    "prefer_locales",
    "locale",
    "style",
    "pitch",
    "rate",
    "volume",
)


@dataclass(frozen=True)
class Engine:
    """The engine of a model name. Native: a speech model; cascaded: Azure STT, a text model, Azure TTS."""

    model: str
    rules: ModelRules
    """The model's rules."""
    api_version: str
    agent: str | None = None
    agent_version: str = ""
    conversation_id: str = ""
    """The id of a conversation with that agent which is to continue."""
    own: bool = False
    """``True`` if the model is a deployment of the client's; its name does not matter."""

    @classmethod
    def of(
        cls,
        model: str,
        api_version: str,
        *,
        agent: str | None = None,
        agent_version: str = "",
        conversation_id: str = "",
        profile: str | None = None,
    ) -> "Engine":
        """Find the engine by the model's name, or by the kind of model that a bring-your-own profile names."""
        rules = ModelRules() if agent is not None else rules_of(model)
        if profile is not None:
            rules = OWN_NATIVE if profile == "byom-azure-openai-realtime" else OWN_TEXT
        return cls(model, rules, api_version, agent, agent_version, conversation_id, own=profile is not None)

    @property
    def native(self) -> bool:
        """True if a speech model answers."""
        return self.rules.native

    @property
    def resolved_model(self) -> str:
        """The name that the session shows."""
        return f"{self.model}-global-standard" if self.native else self.model

    @property
    def lifetime_s(self) -> int:
        """The seconds that a session may last."""
        return 3600 if self.native else 7200

    @property
    def default_instructions(self) -> str:
        """The vendor's prompt."""
        return _NATIVE_PROMPT if self.native else _CASCADED_PROMPT

    @property
    def shows_end_of_utterance(self) -> bool:
        """True if a ``server_vad`` without end-of-utterance detection shows it as null, as in some recordings."""
        return self.native or self.api_version < _NEW_VAD_NUMBERS_SINCE

    def vad_numbers(self, kind: str) -> dict[str, float | int]:
        """Return the numbers of a ``turn_detection`` object where it leaves them out."""
        if self.api_version < _NEW_VAD_NUMBERS_SINCE:
            prefix_ms, silence_ms = 300, 200
        else:
            prefix_ms, silence_ms = (420 if kind.startswith("azure") else 400), 500
        return {
            "threshold": 0.5,
            "prefix_padding_ms": prefix_ms,
            "silence_duration_ms": silence_ms,
            "speech_duration_ms": 80 if kind.startswith("azure") else 200,
        }

    def new_session(self, expire_after_s: float | None) -> Event:
        """Return the session that ``session.created`` shows."""
        session: Event = {
            "id": new_id("sess", native=self.native),
            "model": self.resolved_model,
            "modalities": ["audio"] if self.native else ["audio", "text"],
            "instructions": self.default_instructions,
            "voice": self._default_voice(),
            "input_audio_format": "pcm16",
            "output_audio_format": None if self.native else "pcm16",
            "input_audio_transcription": None if self.native else azure_speech(),
            "input_audio_noise_reduction": None,
            "turn_detection": self._default_turn_detection(),
            "tools": [],
            "tool_choice": "auto",
            "temperature": self.rules.temperature,
            "max_response_output_tokens": "inf",
            "expires_at": int(time.time() + (expire_after_s or self.lifetime_s)),
            "object": "realtime.session",
            "input_audio_sampling_rate": 24000,
            "animation": None,
            "input_audio_echo_cancellation": None,
            "avatar": None,
            "output_audio_timestamp_types": None,
            "truncation_strategy": None,
            "include": None,
            "greeting": None,
            "handoff": None,
        }
        if self.rules.temperature is None:
            del session["temperature"]
        if self.api_version < FIRST_GENERAL:
            session = {key: value for key, value in session.items() if key not in _LATER_KEYS} | {"agent": None}
        if self.agent is not None:
            session["agent"] = {
                "type": "agent",
                "name": self.agent,
                "description": "",
                "agent_id": f"{self.agent}:{self.agent_version or 1}",
                "thread_id": self.conversation_id or new_id("conv", native=False),
            }
        return session

    def _default_voice(self) -> Event:
        if self.rules.azure_realtime:
            return {"type": "azure-realtime-native", "name": "ava"}
        if self.native:
            newer = self.model.startswith("gpt-realtime-2")
            return {"name": "marin" if newer else "alloy", "type": "openai"}
        return voice_echo({"name": "en-US-AvaNeural", "type": "azure-standard"})

    def _default_turn_detection(self) -> Event:
        newer_native = self.model.startswith("gpt-realtime-2")
        numbers = (300, 500 if newer_native else 200) if self.native else (400, 500)
        return {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": numbers[0],
            "silence_duration_ms": numbers[1],
            "create_response": True,
            "interrupt_response": True,
            "idle_timeout_ms": None,
            "speech_duration_ms": None,
            **({"end_of_utterance_detection": None} if self.shows_end_of_utterance else {}),
            "auto_truncate": False,
            "appended_text_after_truncation": None,
        }


def azure_speech(language: str | None = None) -> Event:
    """Return the transcription that a cascaded engine always has."""
    keys = dict.fromkeys(("language", "prompt", "delay", "custom_speech", "phrase_list"))
    return {"model": "azure-speech", **keys, "language": language}


def voice_echo(voice: Event) -> Event:
    """Return a voice as the session shows it: azure-* voices with all their keys, others as they are."""
    if str(voice["type"]).startswith("azure-") and voice["type"] != "azure-realtime-native":
        return {**dict.fromkeys(_AZURE_VOICE_KEYS), **voice}
    return voice
