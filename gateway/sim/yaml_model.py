"""Reads a YAML file as a typed model, or raises an error with file, line and column."""

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from gateway.config.reading import syntax
from gateway.config.reading.position import position_in
from gateway.config.reading.text_file import decoded
from gateway.errors import ConfigError
from gateway.text import described, joined_inside

ModelT = TypeVar("ModelT", bound=BaseModel)


def load(path: Path | str, model: type[ModelT], what: str, keys: str, parts: Iterable[type[BaseModel]]) -> ModelT:
    """Load a file as ``model``; ConfigError where it is none.

    ``what`` names the file's content and ``keys`` its first keys; ``parts`` are the models whose keys are suggested for
    one that is unknown.
    """
    path = Path(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the {what}: {error.strerror}", file=path) from error
    errors: list[ConfigError] = []
    text = decoded(source, path, errors)
    if text is None:
        raise errors[0]
    data = _parsed(text, path)
    if not isinstance(data, dict):
        raise ConfigError(f"expected a mapping with {keys}, …", file=path, line=1, column=1)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _located(error, path, text, what, (model, *parts)) from error


def _parsed(text: str, path: Path) -> Any:
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        message, at = syntax.explain(error, text)
        raise ConfigError(message, file=path, line=at.line, column=at.column) from error
    except ReaderError as error:
        at = position_in(text, error.position)
        message = f"not valid YAML: the character U+{error.character:04X} is not allowed"
        raise ConfigError(message, file=path, line=at.line, column=at.column) from error
    except RecursionError as error:
        raise ConfigError("nested too deeply", file=path) from error
    data = joined_inside(data)
    try:
        json.dumps(data, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"a text holds {described(error.object[error.start])}", file=path) from error
    return data


def _located(
    error: ValidationError, path: Path, text: str, what: str, models: Sequence[type[BaseModel]]
) -> ConfigError:
    first = error.errors()[0]
    node: Any = YAML(typ="rt").load(text)  # a round-trip tree knows where its keys stand
    line, column = 0, 0
    keys: list[str] = []
    for key in first["loc"]:
        try:
            position = node.lc.key if isinstance(key, str) else node.lc.item
            line, column = position(key)
            node = node[key]
        except (AttributeError, KeyError, TypeError):
            continue  # a tag that pydantic adds for a branch of a union, or a key that is missing
        keys.append(str(key))
    message = _message(first["type"], first["msg"], first["loc"], first.get("ctx", {}), models)
    return ConfigError(
        f"{'.'.join(keys) or what}: {message}", file=path, line=line + 1, column=column + 1, key=".".join(keys)
    )


def _message(
    kind: str, message: str, location: Sequence[str | int], about: Any, models: Sequence[type[BaseModel]]
) -> str:
    match kind:
        case "missing":
            return f"the key {location[-1]!r} is missing"
        case "union_tag_not_found":
            return f"the key {about['discriminator']} is missing"
        case "union_tag_invalid":
            name = about["discriminator"].strip("'")
            return f"unknown {name} {about['tag']!r}, expected one of {about['expected_tags']}"
        case "extra_forbidden":
            known = sorted(set[str]().union(*(model.model_fields for model in models)))
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            return "unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
        case _:
            return message.removeprefix("Value error, ")
