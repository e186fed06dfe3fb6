"""Build the gateway with its pure modules compiled by mypyc, as an optional wheel, and unpack it.

    python -m bench.compiled FOLDER

A C compiler has to be there. The wheel is made of a copy: the build leaves its libraries beside the sources, where
they would go before them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.websocket import PeerError

ROOT = Path(__file__).parent.parent
NEEDED = ("pyproject.toml", "README.md", "LICENSE")
LIMIT_S = 900.0
SWITCH = "HATCH_BUILD_HOOK_ENABLE_MYPYC"


def build(folder: Path) -> Path:
    """Build the wheel, unpack it into ``folder`` and return the wheel, which is left there too.

    Raise PeerError with the end of the build's output where it fails.
    """
    with tempfile.TemporaryDirectory(prefix="compiled-") as name:
        source = Path(name)
        for file in NEEDED:
            shutil.copy2(ROOT / file, source)
        shutil.copytree(ROOT / "gateway", source / "gateway", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
        command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
        made = subprocess.run(  # noqa: S603 -- pip, with our own words
            command,
            env={**os.environ, SWITCH: "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    if made.returncode:
        raise PeerError(f"the compiled wheel could not be built:\n{made.stdout[-2000:]}")
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return wheel


@contextmanager
def tree() -> Iterator[Path]:
    """Build the compiled gateway into a folder that lasts for the block."""
    with tempfile.TemporaryDirectory(prefix="compiled-") as name:
        build(Path(name))
        yield Path(name)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    print(build(where))
