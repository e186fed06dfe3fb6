"""Build the gateway with its pure modules compiled by mypyc, as an optional wheel, and unpack it; build the load alike.

    python -m bench.compiled FOLDER

A C compiler has to be there. Both are made of copies: the build leaves its libraries beside the sources, where
they would go before them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bench import COMPILED_LOAD
from bench.websocket import PeerError

ROOT = Path(__file__).parent.parent
LOAD = ("events", "loop", "phone", "reply", "script", "tags", "voice", "websocket")
"""The modules that are at work in every frame of the load."""
LOADS = ROOT / ".compiled" / "load"
"""The place of the load's libraries, with a folder for each version of the load."""
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
        _run(command, source, "the compiled wheel")
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return wheel


def _run(command: Sequence[str], folder: Path, what: str) -> None:
    made = subprocess.run(  # noqa: S603 -- pip and mypyc, with our own words
        command,
        cwd=folder,
        env={**os.environ, SWITCH: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if made.returncode:
        raise PeerError(f"{what} could not be built:\n{made.stdout[-2000:]}")


def run_again_compiled(module: str, words: Sequence[str]) -> None:
    """Run ``python -m module words`` in place of this process, with the load compiled, unless it runs so already.

    Otherwise the load, not the gateway, is what is full first. Raise PeerError where it cannot be built.
    """
    if COMPILED_LOAD not in os.environ:
        environment = {**os.environ, COMPILED_LOAD: str(load())}
        os.execve(sys.executable, [sys.executable, "-m", module, *words], environment)  # noqa: S606 -- ourselves


def load() -> Path:
    """Build the load's modules where they are not built yet, and return the folder for ``COMPILED_LOAD``."""
    sources = [ROOT / "bench" / f"{name}.py" for name in LOAD]
    written = b"".join(source.read_bytes() for source in sources)
    build_of = f"{sys.version}\0{version('mypy')}\0".encode() + written
    folder = LOADS / hashlib.sha256(build_of).hexdigest()[:16]
    if folder.exists():
        return folder
    LOADS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="load-", dir=LOADS) as name:
        made = Path(name) / "made"
        shutil.copytree(ROOT / "bench", made / "bench", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        names = [source.relative_to(ROOT).as_posix() for source in sources]
        command = [sys.executable, "-m", "mypyc", "--config-file", os.devnull, "--ignore-missing-imports"]
        _run([*command, "--follow-imports=silent", *names], made, "the compiled load")
        shutil.rmtree(made / "build")
        for source in (made / "bench").glob("*.py"):
            source.unlink()  # what is not compiled is found where it always is
        made.rename(folder)
    return folder


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
