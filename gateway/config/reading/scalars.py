"""Single values of a YAML file; numbers remember the text in the file."""

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode


class WrittenInt(int):
    """A whole number and how it was written: ``01067`` is also a postcode."""

    text: str


class WrittenFloat(float):
    """A number and how it was written: ``1.10`` is also a version."""

    text: str


Scalar = bool | WrittenInt | WrittenFloat


class ScalarError(ValueError):
    """A scalar that is not of the kind that its tag says; the message says what was expected."""


def construct(yaml: YAML, node: ScalarNode, kind: str) -> Scalar | None:
    """Return the value of a ``bool``, an ``int`` or a ``float``; None for other kinds. Raises :class:`ScalarError`."""
    match kind:
        case "bool":
            return _switch(node.value)
        case "int":
            return _whole(yaml, node)
        case "float":
            return _number(yaml, node)
    return None


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false"):  # a tag or a %YAML 1.1 directive takes other words too
        raise ScalarError(f"expected true or false, found {_shortened(text)}")
    return text.lower() == "true"


def _whole(yaml: YAML, node: ScalarNode) -> WrittenInt:
    try:
        number = WrittenInt(yaml.constructor.construct_yaml_int(node))
    except (ValueError, IndexError):  # no digits, too many of them, or empty
        raise ScalarError(f"expected a whole number, found {_shortened(node.value)}") from None
    number.text = node.value
    return number


def _number(yaml: YAML, node: ScalarNode) -> WrittenFloat:
    try:
        number = WrittenFloat(yaml.constructor.construct_yaml_float(node))
    except (ValueError, IndexError):
        raise ScalarError(f"expected a number, found {_shortened(node.value)}") from None
    number.text = node.value
    return number


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
