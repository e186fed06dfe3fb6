"""``gateway init``: writes a configuration that works into a directory, without overwriting any file."""

import argparse
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from gateway.errors import InputError

GATEWAY = Path("config/gateway.yaml")
LINE = Path("config/lines/support.yaml")
ENVIRONMENT = Path(".env")
IGNORED = Path(".gitignore")
SOURCES = {GATEWAY: "config/gateway.yaml", LINE: "config/lines/support.yaml", ENVIRONMENT: "env", IGNORED: "gitignore"}
"""Each file that is written, and its name in the package, in which a file named ``.gitignore`` would take effect."""
PRIVATE_MODE = 0o600
"""Permissions of ``.env``, which will hold secrets."""


def add_init(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway init``."""
    parser.add_argument("directory", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: this one")
    parser.set_defaults(run=_init)


@contextmanager
def starter() -> Iterator[Path]:
    """Yield the directory with the files that ``gateway init`` writes; ``gateway demo`` calls its line."""
    with as_file(files("gateway") / "starter") as folder:
        yield folder


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.directory
    wanted = [file for file in SOURCES if file != LINE or not _has_lines(folder)]
    with starter() as source:
        for file in wanted:
            target = folder / file
            written = _write_new(target, (source / SOURCES[file]).read_text("utf-8"), private=file == ENVIRONMENT)
            print(f"wrote {target}" if written else f"kept  {target}, which was there")
    if ".env" not in (folder / IGNORED).read_text("utf-8", errors="replace").split():
        print(f"{folder / IGNORED} does not name .env: add it, because secrets will stand there")
    print("\nNext, without an account:\n")
    if folder.resolve() != Path.cwd():
        print(f"  cd {shlex.quote(str(folder))}")
    print("  gateway check\n  gateway serve --emulator\n")
    print("For real calls, fill in .env; gateway check says what is missing.")
    return 0


def _has_lines(folder: Path) -> bool:
    """Return ``True`` if there is a configuration already; one of its lines might take the same numbers."""
    lines = folder / LINE.parent
    return (folder / GATEWAY).exists() or any(path.suffix in {".yaml", ".yml"} for path in lines.glob("*"))


def _write_new(file: Path, text: str, *, private: bool) -> bool:
    """Write a file that does not exist and return ``True``; leave an existing one as it is and return ``False``."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if private:
            file.touch(PRIVATE_MODE, exist_ok=False)
            file.write_text(text, "utf-8")
        else:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
    except FileExistsError:
        if file.is_file():
            return False
        raise InputError(f"{file}: cannot be written, something that is no file is in its way") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}") from None
    return True
