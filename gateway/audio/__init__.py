"""Audio as the wires carry it: formats, G.711, sample-rate conversion, WAV files. Pure; no I/O but reading a file."""
