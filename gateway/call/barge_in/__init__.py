"""The decision whether speech of the caller interrupts the bot. Pure.

held_speech  speech that does not interrupt yet: too short so far, or over the protected beginning of a reply

May be imported by the conversation and its parts alone.
"""
