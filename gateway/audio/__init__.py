"""Audio formats, G.711, sample-rate conversion and audio files.

formats     what a run of bytes means and how long it lasts
g711        samples to and from µ-law and A-law
resample    converts the sample rate
sound       a recording in the format of each phone stream
audio_file  reads audio files of any kind
wav_chunks  repairs WAV files whose sizes are wrong
wav         writes WAV files
opus        writes Ogg Opus

May import what stands below ``gateway.audio`` in the layers of pyproject.toml. Pure, but for reading a file.
"""
