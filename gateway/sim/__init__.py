"""The outside world, for tests and demonstrations: simulated phones and a Voice Live emulator."""
