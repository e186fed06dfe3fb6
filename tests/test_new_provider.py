"""A provider that is made of the template passes the kit as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.new_provider import main

NAME, TITLE = "zenith", "Zenith Phones"
COPIED = ("gateway", "tests", "docs", "config", "examples", "pyproject.toml", "CHANGELOG.md", "README.md")
TOUCHED = [
    "gateway/phone/providers/zenith/__init__.py",
    "gateway/phone/providers/zenith/provider.py",
    "gateway/sim/providers/zenith.py",
    "tests/phone/providers/zenith/test_provider.py",
    "tests/transcripts/zenith/call.jsonl",
    "docs/providers/zenith.md",
    "gateway/config/providers.py",
    "docs/providers.md",
    "CHANGELOG.md",
]
PAGE = ROOT / "docs" / "adding-a-provider.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with a provider made of the template."""
    project = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, project / name)
    assert main([NAME, "--title", TITLE, "--project", str(project)]) == 0
    return project


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in the copy, with the modules of the copy."""
    environ = {**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603 -- our own words


def kit(project: Path, *files: str, chosen: str = NAME) -> str:
    """Run parts of the kit for the new provider; returns what pytest says."""
    done = run(project, "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", chosen)
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_a_provider_of_the_template_passes_the_kit(project: Path) -> None:
    """Its own tests as well; and it is as well written as the rest."""
    said = kit(project, "tests/conformance", f"tests/phone/providers/{NAME}")
    assert " passed" in said, said
    assert " failed" not in said, said
    assert " error" not in said, said
    for words in (("check",), ("format", "--check")):
        linted = run(project, "ruff", *words, *(name for name in TOUCHED if name.endswith(".py")))
        assert linted.returncode == 0, linted.stdout


def is_cache(path: Path) -> bool:
    """Return whether a tool made a file for itself: the kit has run in the copy."""
    return any(part == "__pycache__" or part.startswith(".") for part in path.parts)


def test_it_touches_nine_files(project: Path) -> None:
    """Six of its own, and one place each in the settings, the table and the changelog."""
    changed = [
        path.relative_to(project).as_posix()
        for path in project.rglob("*.*")
        if path.is_file()
        and not is_cache(path.relative_to(project))
        and not (ROOT / path.relative_to(project)).exists()
    ]
    edited = [name for name in TOUCHED if (ROOT / name).exists()]
    assert sorted([*changed, *edited]) == sorted(TOUCHED)
    assert len(TOUCHED) <= 9


def test_a_long_name_fits_into_the_lines(tmp_path: Path) -> None:
    """So that the first commit needs no new line breaks."""
    for name in ("gateway/config/providers.py", "docs/providers.md", "CHANGELOG.md", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert main(["continentalphones", "--title", "Continental Phones", "--project", str(tmp_path)]) == 0
    for words in (("check", "--select", "E501"), ("format", "--check")):
        linted = run(tmp_path, "ruff", *words, "gateway/phone", "gateway/sim", "tests")
        assert linted.returncode == 0, linted.stdout


def test_a_name_that_is_none_or_taken_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a line, and nothing is written."""
    assert main(["Big-Name", "--project", str(project)]) == 2
    assert "expected small letters and digits" in capsys.readouterr().err
    assert main([NAME, "--project", str(project)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_is_to_be_read_is_short() -> None:
    """The page and all that it has one read: 1,200 lines."""
    text = PAGE.read_text("utf-8")
    listed = text.partition("## What to read")[2].partition("\n## ")[0]
    files = [PAGE.parent / target for target in re.findall(r"\]\(([^)#]+)\)", listed)]
    assert len(files) > 5
    assert sum(len(file.read_text("utf-8").splitlines()) for file in (PAGE, *files)) <= 1200
