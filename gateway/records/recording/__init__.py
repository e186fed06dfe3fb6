"""Recordings of calls: the caller left, the bot right as it was heard, on the call's clock.

tap           the phone of a recorded call: passes everything on, and notes audio and times
heard         the caller's audio that waits to be written
entries       what else the tap notes, in the order of time
caller_track  the caller's audio on the call's clock
bot_track     the bot's audio when the caller hears it
timeline      both tracks as the blocks of one file
places        where each recording is written, and what becomes of it then
wav_file      a WAV file that grows and may be read at any time
writer        the thread that writes all recordings of a process
metrics       the Prometheus metrics
recordings    the recordings of a process: where they are, and what became of them

Nothing of it is on the audio path of a call that is not recorded; of one that is, the tap alone. May import what stands
below ``gateway.records`` in the layers of pyproject.toml; ``gateway.app`` and the routes import ``recordings``.
"""
