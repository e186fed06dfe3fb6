"""The decision whether speech of the caller interrupts the bot. Pure.

held_speech   speech that does not interrupt yet: too short so far, or over the protected beginning of a reply
echo          the likeness of two pieces of audio
hearing       the caller's latest audio, beside what was played to the caller
echo_gate     keeps echoes of the bot from being taken for the caller
speech_watch  notices a caller whose speech the service does not report
listening     a conversation with the last two, for the calls that want them

``listening`` imports the conversation, which knows nothing of it; the parts import ``held_speech`` alone.
"""
