"""The environment of a command: as it was started, and with what ``.env`` adds to it; that can be read again."""

import os
from collections.abc import Mapping
from pathlib import Path

from gateway.config.reading.env_file import load_env_file
from gateway.config.reading.environment import value_in


class Environment:
    """The environment that the process was started with; ``os.environ`` has the variables of ``.env`` as well."""

    def __init__(self) -> None:
        self._started = dict(os.environ)

    def read(self) -> None:
        """Read ``.env`` into ``os.environ``, anew where it was read before.

        Raises ConfigErrors; then ``os.environ`` is as it was.
        """
        before = dict(os.environ)
        self.restore(self._started)
        try:
            load_env_file(Path(".env"))
        except BaseException:
            self.restore(before)
            raise
        strip_for_azure()

    def restore(self, variables: Mapping[str, str]) -> None:
        """Let ``os.environ`` have these variables alone."""
        for name in os.environ.keys() - variables.keys():
            del os.environ[name]
        os.environ.update(variables)


def strip_for_azure() -> None:
    """Strip the variables that Microsoft's identity library reads: mounted secrets end in a line feed."""
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        os.environ[name] = value_in(os.environ, name)
