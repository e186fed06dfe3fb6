"""Audio as the wires carry it: formats, G.711, sample-rate conversion, audio files. Pure; no I/O but reading a file."""
