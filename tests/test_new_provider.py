"""A provider that is made of a template passes the kit as it is, and holds a conversation."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.new_provider import TEMPLATES, main
from tests.provider_switches import KINDS, SWITCHES, Kind, switched

NAME, TITLE = "zenith", "Zenith Phones"
OTHERS = {
    "plain": ("--binary", "--no-marks", "--no-clear", "--no-keys", "--no-rest", "--ends-with-stream"),
    "forms": ("--form",),
    "paced": ("--kind", "commands", "--paced", "--no-keys"),
}
"""Made beside it, with these switches: what each vendor has not, and the ways that no provider here has."""
NAMES = (NAME, *OTHERS)
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
    """A copy of this project with providers made of the templates."""
    project = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, project / name)
    assert main([NAME, "--title", TITLE, "--project", str(project)]) == 0
    for name, switches in OTHERS.items():
        assert main([name, *switches, "--project", str(project)]) == 0
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
def test_a_provider_of_a_template_passes_the_kit(project: Path) -> None:
    """Its own tests as well, and the same calls that every provider makes; and it is as well written as the rest."""
    own = [f"tests/phone/providers/{name}" for name in NAMES]
    said = kit(project, "tests/conformance", "tests/e2e/test_providers.py", *own, chosen=" or ".join(NAMES))
    assert " passed" in said, said
    assert " failed" not in said, said
    assert " error" not in said, said
    for words in (("check",), ("format", "--check")):
        made = [path for path in project.rglob("*.py") if set(NAMES) & {*path.parts, path.stem}]
        linted = run(project, "ruff", *words, *map(str, made), "gateway/config/providers.py")
        assert linted.returncode == 0, linted.stdout


HALF_WRITTEN = {
    "gateway/config/providers.py": (
        "class Zenith(",
        "class Zenith(ProviderSettings):\n    pass\n\n\nclass Before(",
        "change gateway/phone/providers/zenith/provider.py, line",
    ),
    "gateway/sim/providers/zenith.py": (
        'keys.texts("api_key", "webhook_secret")',
        '{**keys.base64("webhook_secret")}',
        "change gateway/sim/providers/zenith.py, line",
    ),
    "tests/phone/providers/zenith/test_provider.py": (
        'ZenithWebhooks("zenith", ',
        "ZenithWebhooks(",
        "change tests/phone/providers/zenith/test_provider.py, line",
    ),
}
"""Files with other keys than the rest: what stands there, what is put there, and what the kit says."""


@pytest.mark.parametrize("file", HALF_WRITTEN, ids=["settings", "simulated end", "tests"])
def test_the_kit_names_the_file_that_has_other_keys(project: Path, file: str) -> None:
    """In a sentence, without a traceback."""
    old, new, expected = HALF_WRITTEN[file]
    path = project / file
    written = path.read_text("utf-8")
    assert old in written
    try:
        path.write_text(written.replace(old, new), "utf-8")
        said = kit(project, "tests/conformance/test_parts.py", "tests/conformance/test_call_control.py")
    finally:
        path.write_text(written, "utf-8")
    assert expected in said, said
    assert "Traceback" not in said
    assert "During handling" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_every_switch_finds_its_place(kind: Kind) -> None:
    """Alone and with all others that go with it: a template that is changed takes its switches along."""
    files = [path for path in (TEMPLATES / kind).rglob("*.*") if "__pycache__" not in path.parts]
    switches = list(SWITCHES[kind])
    sets = [[], *([one] for one in switches), [one for one in switches if one != "paced"]]
    for chosen in sets:
        for path in files:
            text = switched(path.relative_to(TEMPLATES / kind).as_posix(), path.read_text("utf-8"), kind, chosen)
            if path.suffix == ".py":
                ast.parse(text)
            if path.suffix == ".jsonl":
                assert all(json.loads(line) for line in text.splitlines())


def test_a_switch_that_its_kind_has_not_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With those that it has, and nothing is written."""
    assert main(["other", "--kind", "commands", "--binary", "--project", str(project)]) == 2
    assert "--binary is no switch of --kind commands: it has no-clear, no-keys, paced" in capsys.readouterr().err
    assert not (project / "docs" / "providers" / "other.md").exists()


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
        and not set(OTHERS) & {*path.parts, path.stem}
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


def test_a_formatter_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that installs it; the files are there."""
    for name in ("gateway/config/providers.py", "docs/providers.md", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr("tests.new_provider.FORMATTER", "no_ruff")
    assert main(["other", "--project", str(tmp_path)]) == 2
    assert "No module named no_ruff; `make dev` installs ruff" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_to_be_read_is_short(kind: Kind) -> None:
    """The page, and the files that the command makes: no other module needs to be opened."""
    files = [PAGE, *(path for path in (TEMPLATES / kind).rglob("*.*") if "__pycache__" not in path.parts)]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) <= 1000
