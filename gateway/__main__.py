"""The ``gateway`` command, also as ``python -m gateway``."""

import sys

INTERRUPTED = 130


def run() -> int:
    """Run the command; Ctrl-C ends it without a traceback, also while it is still being loaded."""
    try:
        from gateway.cli import main  # noqa: PLC0415 -- takes a while, in which Ctrl-C may come

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
