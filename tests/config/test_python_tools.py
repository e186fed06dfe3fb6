import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.config.line_file import LineFile
from gateway.config.python_tools import PythonToolError, load

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]

ORDERS = '''
from __future__ import annotations
import enum
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from gateway.function import CallContext

class Item(BaseModel):
    name: str
    count: int = 1

class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

async def status(
    order_number: str,
    context: CallContext,
    items: list[Item],
    color: Color | None = None,
    kind: Literal["a", "b"] = "a",
    count: Annotated[int, Field(ge=1, description="How many.")] = 3,
) -> dict:
    """Look an order up.

    It takes a while.

    Args:
        order_number: The number
            on the bill.
        color (Color): Which one: red or blue.
        count: Not this.

    Returns:
        order_number: What is no argument.
    """
    return {"order": order_number}
'''


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Writes a module beside gateway.yaml; its name is new, as modules are imported once."""
    before, modules = list(sys.path), set(sys.modules)

    def write(source: str) -> str:
        name = f"shop_{len(list(tmp_path.glob('*.py')))}"
        (tmp_path / f"{name}.py").write_text(source)
        return name

    yield write
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        if name.startswith("shop_"):
            del sys.modules[name]


def test_a_function_tells_its_schema(tmp_path: Path, module: Callable[[str], str]) -> None:
    """Name, description, types, defaults and bounds come from the code; the context is not for the model."""
    tool = load(f"{module(ORDERS)}:status", tmp_path)
    assert (tool.name, tool.description) == ("status", "Look an order up.\n\nIt takes a while.")
    assert tool.run.context_parameter == "context"
    item = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 1}},
        "required": ["name"],
    }
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "order_number": {"type": "string", "description": "The number on the bill."},
            "items": {"type": "array", "items": item},
            "color": {
                "anyOf": [{"type": "string", "enum": ["red", "blue"]}, {"type": "null"}],
                "default": None,
                "description": "Which one: red or blue.",
            },
            "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "count": {"type": "integer", "minimum": 1, "default": 3, "description": "How many."},
        },
        "required": ["order_number", "items"],
        "additionalProperties": False,
    }


async def test_arguments_are_checked_and_converted(tmp_path: Path, module: Callable[[str], str]) -> None:
    """What the model wrote becomes what the function takes, defaults included."""
    run = load(f"{module(ORDERS)}:status", tmp_path).run
    assert run.arguments
    valid = run.arguments.model_validate_json('{"order_number": "7", "items": [{"name": "rose"}], "color": "red"}')
    given = {name: getattr(valid, name) for name in run.arguments.model_fields}
    assert list(given) == ["order_number", "items", "color", "kind", "count"]
    assert given["items"][0].count == 1
    assert given["color"].name == "RED"
    assert await run.function(**given, context=None) == {"order": "7"}
    for wrong in ("{}", '{"order_number": "7", "items": [], "count": 0}', '{"order_number": "7", "items": [], "x": 1}'):
        with pytest.raises(ValidationError):
            run.arguments.model_validate_json(wrong)


def test_a_function_without_parameters_has_an_empty_schema(tmp_path: Path, module: Callable[[str], str]) -> None:
    """That is what the service takes for none."""
    tool = load(module('async def now():\n    "Tell the time."\n') + ":now", tmp_path)
    assert tool.parameters == {"type": "object", "properties": {}, "additionalProperties": False}
    assert tool.run.context_parameter == ""


@pytest.mark.parametrize(
    ("source", "in_thread"),
    [
        ("async def f(): ...", False),
        ("def f(): ...", True),
        ("class C:\n    def __call__(self, a: str): ...\nf = C()", True),
        ("class C:\n    async def __call__(self, a: str): ...\nf = C()", False),
    ],
)
def test_what_blocks_runs_in_a_thread(
    tmp_path: Path, module: Callable[[str], str], source: str, in_thread: bool
) -> None:
    """A coroutine function runs in the loop, any other one beside it; an object is what its call is."""
    assert load(f"{module(source)}:f", tmp_path).run.in_thread is in_thread


def test_pydantic_s_own_switch_to_python_s_engine_is_refused(tmp_path: Path, module: Callable[[str], str]) -> None:
    """A pattern that is a text is matched by it all the same where a model says so."""
    name = module(
        "from pydantic import BaseModel, ConfigDict, Field\n"
        "class M(BaseModel):\n    model_config = ConfigDict(regex_engine='python-re')\n"
        "    a: str = Field(pattern='^(a+)+$')\n"
        "async def f(m: M): ...\n"
    )
    with pytest.raises(PythonToolError, match="has a pattern that Python's re matches"):
        load(f"{name}:f", tmp_path)


def test_a_default_that_no_json_can_have_is_not_shown(tmp_path: Path, module: Callable[[str], str]) -> None:
    """The function has it all the same."""
    tool = load(module("async def f(a: str = object()): ...") + ":f", tmp_path)
    assert tool.parameters["properties"] == {"a": {"type": "string"}}
    assert "required" not in tool.parameters


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f = 5", "is no function, expected async def f(…) or def f(…)"),
        ("class f: ...", "is no function, expected async def f(…) or def f(…)"),
        ("def f():\n    yield 1", "yields its results, expected a function that returns one"),
        ("async def f():\n    yield 1", "yields its results, expected a function that returns one"),
        (
            "import re\nfrom typing import Annotated\nfrom pydantic import Field\n"
            "async def f(a: Annotated[str, Field(pattern=re.compile('^(a+)+$'))]): ...",
            "has a pattern that Python's re matches, which can stop all calls, expected it as a text",
        ),
        ("async def f(a): ...", "has a parameter a without a type, expected such as a: str"),
        ("async def f(*rest: str): ...", "takes any arguments (*rest), expected named ones alone"),
        ("async def f(**rest: str): ...", "takes any arguments (**rest), expected named ones alone"),
        ("async def f(a: str, /): ...", "takes a by its position alone, expected parameters that have names"),
        ("async def f(_a: str): ...", "has a parameter _a, a name that no tool can have, expected another"),
        ("async def f(copy: str): ...", "has a parameter copy, a name that no tool can have, expected another"),
        (
            "from gateway.function import CallContext\nasync def f(a: CallContext, b: CallContext): ...",
            "takes the CallContext twice (a, b), expected it once",
        ),
        (
            "async def f(a: 'Missing'): ...",
            "has annotations that mean nothing: NameError: name 'Missing' is not defined",
        ),
        (
            "class C: ...\nasync def f(a: C): ...",
            "has parameters of a type that no JSON can have: Unable to generate pydantic-core schema for "
            "<class '{module}.C'>. Set `arbitrary_types_allowed=True` in the model_config to ignore this error or "
            "implement `__get_pydantic_core_schema__` on your type to fully support it.",
        ),
        (
            "from collections.abc import Callable\nasync def f(a: Callable[[], str]): ...",
            "has parameters that JSON Schema cannot describe: Cannot generate a JsonSchema for "
            "core_schema.CallableSchema",
        ),
        (
            "from typing import Any\nasync def f(a: str | list[Any] | object): ...",
            "has a parameter that the service does not take: a.anyOf.2: "
            "the service refuses a branch without a type, expected a type in each",
        ),
        (
            "from pydantic import BaseModel\nclass T(BaseModel):\n    child: 'T | None'\nasync def f(a: T): ...",
            "has parameters that JSON Schema cannot describe: T refers to itself",
        ),
    ],
)
def test_a_function_that_cannot_be_a_tool_says_why(
    tmp_path: Path, module: Callable[[str], str], source: str, expected: str
) -> None:
    """One line, with the function's place."""
    name = module(source)
    with pytest.raises(PythonToolError) as refused:
        load(f"{name}:f", tmp_path)
    assert str(refused.value) == f"{name}:f {expected.replace('{module}', name)}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "AttributeError: module '{module}' has no attribute 'f'"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("import sys\nsys.exit('not today')", "SystemExit: not today"),
        ("1 +", "SyntaxError: invalid syntax ({module}.py, line 1)"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(
    tmp_path: Path, module: Callable[[str], str], source: str, expected: str
) -> None:
    """The exception by its name and message, never a traceback."""
    name = module(source)
    with pytest.raises(PythonToolError) as refused:
        load(f"{name}:f", tmp_path)
    assert str(refused.value) == f"{name}:f cannot be imported: {expected.replace('{module}', name)}"


def test_a_mistake_in_a_module_is_told_where_the_line_names_it(
    line_errors: LineErrors, module: Callable[[str], str]
) -> None:
    """File, line, column and key, as with every other mistake."""
    name = module("")
    assert line_errors(f'tools: [{{python: "{name}:f"}}]') == [
        f"line.yaml:3:10: tools[0].python: {name}:f cannot be imported: "
        f"AttributeError: module '{name}' has no attribute 'f'"
    ]


def test_a_file_beside_gateway_yaml_takes_no_module_s_place(tmp_path: Path, module: Callable[[str], str]) -> None:
    """The folder is looked at last."""
    load(module('async def f():\n    "Do it."\n') + ":f", tmp_path)
    assert sys.path[-1] == str(tmp_path.resolve())
