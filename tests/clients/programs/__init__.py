"""A conversation by each client, as its own documents show it. Each runs in its client's environment alone.

A program finds the emulator at ``VOICE_LIVE_ENDPOINT`` with the key ``VOICE_LIVE_KEY``, and the caller's question in
the file ``QUESTION``: 16-bit samples at 24 kHz. It asks, calls the function ``get_weather`` when the service does,
hears the answer to its end, and prints what it met as one line of JSON: ``{"calls": [names], "words": "…",
"audio_ms": n}``.

microphone            the question, and silence behind it
livekit_agent         LiveKit's plug-in for Azure
pipecat_bot           Pipecat's service for Voice Live
pydantic_ai_session   pydantic-ai's real-time model
javascript_sdk.mjs    the official SDK for JavaScript
"""
