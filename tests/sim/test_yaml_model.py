"""A YAML file as a typed model: errors with file, line and column, for models of any kind."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from gateway.errors import ConfigError
from gateway.sim.yaml_model import load


class Part(BaseModel):
    """A part of a model."""

    model_config = ConfigDict(extra="forbid")
    colour: Literal["red", "blue"] = "red"


class Whole(BaseModel):
    """A model."""

    model_config = ConfigDict(extra="forbid")
    part: Part = Part()
    parts: list[Part] = []


def loaded(folder: Path, text: str) -> Whole:
    """Write and load a file."""
    file = folder / "whole.yaml"
    file.write_text(text, "utf-8")
    return load(file, Whole, "whole", "part, parts", [Part])


def test_a_file_is_loaded(tmp_path: Path) -> None:
    """What it does not say has its default."""
    assert loaded(tmp_path, "part: {colour: blue}\n") == Whole(part=Part(colour="blue"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", ":1:1: expected a mapping with part, parts, …"),
        ("part: {colour: green}\n", ":1:8: part.colour: Input should be 'red' or 'blue'"),
        ("parts:\n- {}\n- {color: red}\n", ":3:4: parts.1.color: unknown key; did you mean 'colour'?"),
        ("part: {colour: red\n", "whole.yaml:1:7: "),
    ],
)
def test_an_error_says_where(tmp_path: Path, text: str, said: str) -> None:
    """And what was expected."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
