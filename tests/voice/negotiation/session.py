"""A session with every member that a line can set, for the tests of the negotiation."""

from typing import Any

TURNS = {
    "type": "azure_semantic_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 420,
    "silence_duration_ms": 500,
    "speech_duration_ms": 80,
    "remove_filler_words": False,
    "languages": ["en"],
    "create_response": True,
    "interrupt_response": False,
    "auto_truncate": False,
}
SESSION: dict[str, Any] = {
    "modalities": ["text", "audio"],
    "input_audio_format": "g711_ulaw",
    "input_audio_sampling_rate": 8000,
    "output_audio_format": "g711_ulaw",
    "turn_detection": TURNS,
    "input_audio_noise_reduction": None,
    "input_audio_echo_cancellation": None,
    "input_audio_transcription": {"model": "azure-speech", "language": "en-US", "phrase_list": ["Contoso"]},
    "metadata": {"call_id": "CA1"},
    "instructions": "Answer.",
    "tools": [{"type": "function", "name": "end_call"}],
    "tool_choice": "auto",
    "max_response_output_tokens": "inf",
    "parallel_tool_calls": False,
    "temperature": 0.8,
    "voice": {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural", "rate": "+10%"},
    "interim_response": {"type": "static_interim_response", "texts": ["Hm."]},
}
PLAIN_TURNS = {
    "type": "azure_semantic_vad",
    "create_response": True,
    "interrupt_response": False,
    "auto_truncate": False,
}
KEPT = {
    "modalities": ["text", "audio"],
    "input_audio_format": "g711_ulaw",
    "input_audio_sampling_rate": 8000,
    "instructions": "Answer.",
    "tools": [{"type": "function", "name": "end_call"}],
}
"""What is left of it in every case, beside the output format, the voice, turn detection and transcription."""
