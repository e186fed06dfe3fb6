"""Environments in the user's cache, in which clients are installed apart from the gateway's own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

INSTALL_S = 900
"""The limit of an installation."""


def cache() -> Path:
    """Return the folder of all environments, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voice-line-gateway" / "clients"


def virtual_environment(name: str, requirements: Sequence[str]) -> Path:
    """Return the interpreter of a virtual environment with the newest releases that ``requirements`` admit.

    Raises ``subprocess.CalledProcessError`` where they cannot be installed.
    """
    folder = cache() / name
    python = folder / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *requirements])
    return python


def node_folder(name: str, packages: Sequence[str]) -> Path:
    """Return a folder with the newest releases of packages of npm. Raises as :func:`virtual_environment` does."""
    folder = cache() / name
    folder.mkdir(parents=True, exist_ok=True)
    _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *(f"{one}@latest" for one in packages)])
    return folder


def version_of_node(folder: Path, package: str) -> str:
    """Return the version of a package in a folder of npm's."""
    return str(json.loads((folder / "node_modules" / package / "package.json").read_text("utf-8"))["version"])


def source_of(python: Path, package: str, version: str) -> Path:
    """Return the unpacked source distribution of a package."""
    folder = cache() / "sources"
    unpacked = folder / f"{package.replace('-', '_')}-{version}"
    if not unpacked.exists():
        folder.mkdir(parents=True, exist_ok=True)
        download = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
        _run([str(python), "-m", "pip", *download, f"{package}=={version}"])
        (archive,) = folder.glob(f"{unpacked.name}.tar.gz")
        _run(["tar", "-xzf", str(archive), "-C", str(folder)])
    return unpacked


def version_in(python: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    asked = subprocess.run([str(python), "-c", ask], check=True, capture_output=True, text=True)  # noqa: S603 -- ours
    return asked.stdout.strip()


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_S, stdout=sys.stderr)  # noqa: S603 -- words of ours
