"""Files of faults: every kind can be written, and what is wrong is named with its place."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.sim.faults import load_faults
from gateway.sim.faults.plan import PHONE_KINDS, SERVICE_KINDS, FaultPlan, kind_of
from tests.documents import ROOT, blocks

EXAMPLE = ROOT / "examples" / "faults.yaml"


def written(folder: Path, text: str) -> Path:
    """Write a file of faults."""
    file = folder / "faults.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_example_has_every_kind() -> None:
    """It is the reference that a user copies from."""
    plan = load_faults(EXAMPLE)
    assert {kind_of(type(fault)) for fault in plan.service} == {kind_of(kind) for kind in SERVICE_KINDS}
    assert {kind_of(type(fault)) for fault in plan.phone} == {kind_of(kind) for kind in PHONE_KINDS}


def test_an_empty_file_breaks_nothing(tmp_path: Path) -> None:
    """No fault is a plan too."""
    assert load_faults(written(tmp_path, "{}\n")) == FaultPlan()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "1:1: expected a mapping with service, phone, …"),
        ("servce: []\n", "1:1: servce: unknown key; did you mean 'service'?"),
        ("service:\n- {kind: cat}\n", "2:3: service.0: unknown kind 'cat', expected one of 'refuse', 'no_answer'"),
        ("service:\n- {status: 429}\n", "2:3: service.0: the key 'kind' is missing"),
        ("phone:\n- {kind: loss, share: 0.5, fro_s: 2}\n", "phone.0.fro_s: unknown key; did you mean 'for_s'?"),
        ("phone: [\n", 'a "[" is opened here and never closed'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With file, line, column, key and what was expected."""
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_faults(file)
    assert str(caught.value).startswith(f"{file}:")
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error names it."""
    with pytest.raises(ConfigError, match="cannot read the faults: No such file"):
        load_faults(tmp_path / "none.yaml")


def test_the_page_shows_files_that_work_and_names_every_key(tmp_path: Path) -> None:
    """docs/faults.md: its example can be read, and no kind, key or default is missing."""
    page = ROOT / "docs" / "faults.md"
    (example,) = (block.text for block in blocks(page) if block.language == "yaml")
    assert len(load_faults(written(tmp_path, example)).service) == 3
    text = page.read_text("utf-8")
    for kind in (*SERVICE_KINDS, *PHONE_KINDS):
        assert f"| `{kind_of(kind)}` |" in text
        assert [name for name in kind.model_fields if name not in text] == []
