"""The rules of the house: how large folders, files and functions may be, and where a module's tests stand.

Each rule has a list of what was there before it. These lists may only become shorter: a name that is no exception any
more fails until it is struck out.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.documents import ROOT

GATEWAY = ROOT / "gateway"
MODULES_IN_A_FOLDER, LINES_IN_A_FILE, MEDIAN_LINES, LINES_IN_A_FUNCTION = 16, 400, 115, 60
FULL_FOLDERS = {"call": 22}
ONE_FOR_EACH_PROVIDER = "sim/providers"
"""Its modules are found by their names, and tests/conformance and tests/e2e try each of them against the gateway: there
may be as many as there are providers, and one that has nothing else of its own has no test file."""
LONG_FILES = {
    "tests/call/test_conversation.py",
    "tests/call/test_gone_later.py",
    "tests/call/tools/test_mcp.py",
    "tests/call/speaking/test_playback.py",
    "tests/call/test_two_at_once.py",
    "tests/cli/test_workers.py",
    "tests/config/test_lines.py",
    "tests/e2e/test_attacks.py",
    "tests/e2e/test_bad_input.py",
    "tests/routes/refusing/test_refusals.py",
    "tests/routes/test_webhooks.py",
    "tests/sim/caller/test_call.py",
    "tests/sim/phone/test_phone.py",
    "tests/sockets/test_websocket.py",
    "tests/voice/test_wire.py",
}
WITHOUT_TESTS_OF_THEIR_OWN = {
    "__main__.py",
    "call/settings.py",
    "cli/accounts.py",
    "cli/checking/checked.py",
    "config/line/line.py",
    "config/line/transfers.py",
    "config/line/turns.py",
    "config/line/voices.py",
    "config/reading/position.py",
    "config/reading/problems.py",
    "config/reading/scalars.py",
    "config/reading/section.py",
    "config/reading/text_file.py",
    "config/reading/written.py",
    "errors.py",
    "network/http_fault.py",
    "path_segment.py",
    "phone/dialects/plivo/signature.py",
    "phone/dialects/plivo/stream.py",
    "phone/dialects/twilio/stream.py",
    "phone/providers/acs/wire.py",
    "phone/providers/genesys/wire.py",
    "sim/emulator/faults.py",
    "sim/emulator/items.py",
    "sim/emulator/record.py",
    "sim/emulator/settings/engine.py",
    "sim/emulator/settings/fields.py",
    "sim/emulator/settings/formats.py",
    "sim/emulator/settings/tool_choice.py",
    "sim/emulator/speaking/output.py",
    "sim/phone/connecting.py",
    "sim/phone/observed.py",
    "sim/phone/wire.py",
    "sim/prompts/__main__.py",
    "sim/providers/_plivo_dialect.py",
    "sim/providers/_telnyx_wire.py",
    "voice/commands.py",
}
BLOCKS_IN_A_FUNCTION = 12
"""One within the other, each context manager of a ``with`` counted. Python allows twenty; 3.12.1 crashes at less."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OPENS_WITH_A_QUESTION = re.compile(r"(What|Whether|How|Who|Whoever|Whom|Whose|Which)\b")


def modules() -> list[Path]:
    """Every module of the gateway but the maps."""
    return sorted(path for path in GATEWAY.rglob("*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    """Return how a module is called in the lists above."""
    return path.relative_to(GATEWAY).as_posix()


def lines(path: Path) -> int:
    """Count the lines of a file."""
    return len(path.read_text("utf-8").splitlines())


def test_a_folder_holds_no_more_than_one_sees_at_a_glance() -> None:
    """Sixteen modules; a new one goes into a room of its own."""
    counts: dict[str, int] = {}
    for path in modules():
        folder = path.parent.relative_to(GATEWAY).as_posix()
        if folder != ONE_FOR_EACH_PROVIDER:
            counts[folder] = counts.get(folder, 0) + 1
    assert {name: count for name, count in counts.items() if count > MODULES_IN_A_FOLDER} == FULL_FOLDERS


def depth(node: ast.AST) -> int:
    """Count the blocks of a function that stand one within the other."""
    own = 0
    match node:
        case ast.With() | ast.AsyncWith():
            own = len(node.items)
        case ast.Try() | ast.TryStar():
            own = 1 + bool(node.finalbody and node.handlers)
        case ast.For() | ast.AsyncFor() | ast.While():
            own = 1
    inner = (one for one in ast.iter_child_nodes(node) if not isinstance(one, FUNCTIONS))
    return own + max(map(depth, inner), default=0)


def test_blocks_are_not_nested_deeper_than_every_python_compiles() -> None:
    """The context managers that a long-lived function enters go onto a stack."""
    files = [path for folder in ("gateway", "tests", "bench", "examples") for path in (ROOT / folder).rglob("*.py")]
    deep = {
        f"{path.relative_to(ROOT).as_posix()}: {node.name}"
        for path in files
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, FUNCTIONS) and max(map(depth, node.body)) > BLOCKS_IN_A_FUNCTION
    }
    assert deep == set()


def test_a_file_ends_before_one_loses_the_thread() -> None:
    """At 400 lines, the gateway's, the tests' and the bench's; half of the gateway's have at most 115."""
    files = [path for folder in ("gateway", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    long = {path.relative_to(ROOT).as_posix() for path in files if lines(path) > LINES_IN_A_FILE}
    assert long == LONG_FILES
    assert median(map(lines, modules())) <= MEDIAN_LINES


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Find the functions and methods of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_function_fits_a_screen() -> None:
    """Sixty lines, docstring included."""
    long = {
        f"{name_of(path)}: {function.name}"
        for path in modules()
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LINES_IN_A_FUNCTION
    }
    assert long == set()


def test_the_tests_of_a_module_stand_where_it_does() -> None:
    """``gateway/call/keypad.py`` has ``tests/call/test_keypad.py``; a module without a function holds only data."""
    without = {
        name_of(path)
        for path in modules()
        if any(functions(path))
        and not (path.parent == GATEWAY / ONE_FOR_EACH_PROVIDER and path.stem[0] != "_")
        and not (ROOT / "tests" / path.parent.relative_to(GATEWAY) / f"test_{path.name}").exists()
    }
    assert without == WITHOUT_TESTS_OF_THEIR_OWN


def docstrings(path: Path) -> Iterator[str]:
    """Find the docstrings of a file: of its module, classes and functions, and those after a constant or a field."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                match statement:
                    case ast.Expr(ast.Constant(str(text))):
                        yield text.strip()


def test_a_docstring_opens_with_what_is_so() -> None:
    """With a verb or a noun, and with no question: "Return the duration of audio", not "How long audio lasts"."""
    found = [
        f"{name_of(path)}: {text.splitlines()[0]}"
        for path in GATEWAY.rglob("*.py")
        for text in docstrings(path)
        if OPENS_WITH_A_QUESTION.match(text)
    ]
    assert found == [], "rewrite these: the verb first, or the noun"


def test_docstrings_of_fields_are_seen(tmp_path: Path) -> None:
    """Each of the places where one may stand."""
    file = tmp_path / "module.py"
    file.write_text('"""A"""\nX = 1\n"""B"""\nclass C:\n    """C"""\n    f: int\n    """D"""\n    def g(): "E"\n')
    assert sorted(docstrings(file)) == ["A", "B", "C", "D", "E"]
