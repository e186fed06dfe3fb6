"""The file ``.env``: variables for the environment, for those who do not set them otherwise."""

from io import StringIO
from pathlib import Path

from dotenv import load_dotenv

from gateway.config.position import position_in
from gateway.config.problems import ConfigErrors
from gateway.config.reading import decoded
from gateway.errors import ConfigError


def load_env_file(file: Path) -> None:
    """Set the variables of ``file`` that are not set yet; where there is no such file, nothing.

    A directory of that name is somebody's virtual environment; a pipe is a password manager's. Raises ConfigErrors.
    """
    if not file.exists() or file.is_dir():
        return
    errors: list[ConfigError] = []
    try:
        text = decoded(file.read_bytes(), file, errors)
    except OSError as error:
        raise ConfigErrors([ConfigError(f"cannot be read: {error.strerror}", file=file)]) from None
    if text is None:
        raise ConfigErrors(errors)
    if (index := text.find("\0")) >= 0:
        line, column = position_in(text, index)
        message = "holds U+0000, a control character, expected text"
        raise ConfigErrors([ConfigError(message, file=file, line=line, column=column)])
    load_dotenv(stream=StringIO(text))
