"""The ``gateway`` command, also as ``python -m gateway``."""

import gc
import sys

INTERRUPTED = 130


def run() -> int:
    """Run the command; Ctrl-C ends it without a traceback, also while it is still being loaded."""
    gc.disable()  # nothing of what is loaded is garbage, and looking for some takes a tenth of the time
    try:
        from gateway.cli import main  # noqa: PLC0415 -- takes most of a second, in which Ctrl-C may come

        gc.enable()
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
