"""Every provider has all of its parts: what is missing is named with what to write, and where."""

import ast
import re
from collections.abc import Iterator

import pytest

from gateway.audio.formats import AudioFormat
from gateway.cli.providers import table
from gateway.config.providers import settings_of
from gateway.phone.providers import PROVIDERS
from gateway.sim.providers import PROVIDERS as SIMULATED
from tests.conformance.own import own, reads_json, wanted
from tests.conformance.transcripts import bare
from tests.documents import ROOT, blocks
from tests.kinds import ASKING

TEMPLATE = "examples/provider_template/documents"
PARTS = {
    "gateway/phone/providers/{name}/__init__.py": "a docstring that says what it speaks and what its modules are",
    "gateway/phone/providers/{name}/provider.py": "its class, a Provider, and the function make",
    "gateway/sim/providers/{name}.py": "its simulated end, a SimProvider named provider",
    "tests/phone/providers/{name}/test_provider.py": "tests of what is its own: signature, answers, requests",
    "docs/providers/{name}.md": "its page",
}
OF_EVERY_SECTION = ("provider", "stream_secret", "region")
"""Keys that every provider has: docs/configuration.md describes them."""


def text_of(path: str) -> str:
    """Return a file of the project, empty where there is none."""
    file = ROOT / path
    return file.read_text("utf-8") if file.exists() else ""


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", PROVIDERS)
def test_each_part_of_a_provider_is_there(name: str, part: str) -> None:
    """Modules, tests and page have the provider's name."""
    path = part.format(name=name)
    pattern = f"{TEMPLATE}/{part.format(name='acme')}"
    assert text_of(path).strip(), f"{name}: write {path}: {PARTS[part]}; the pattern is {pattern}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_has_golden_transcripts(name: str) -> None:
    """The messages of its vendor's documents, and what they mean."""
    found = [path for path in (ROOT / "tests" / "transcripts" / name).glob("*.jsonl") if path.stat().st_size]
    assert found, (
        f"{name}: write tests/transcripts/{name}/call.jsonl: the vendor's messages, byte for byte, and their events; "
        f"tests/conformance/transcripts.py says how, the pattern is {TEMPLATE}/tests/transcripts/acme/call.jsonl"
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_has_tests_of_its_own(name: str) -> None:
    """Of what no other has: at least of its webhook or of its stream's proof."""
    path = f"tests/phone/providers/{name}/test_provider.py"
    assert re.search(r"^(async )?def test_", text_of(path), re.MULTILINE), f"{name}: write tests into {path}"


@pytest.mark.parametrize("name", ASKING)
def test_a_provider_that_asks_us_says_how_it_signs(name: str) -> None:
    """Its webhooks are then tried with anything in them, signed."""
    assert own(name, "sign"), f"{name}: {wanted(name, 'sign, the headers of a webhook signed by its simulated end')}"


@pytest.mark.parametrize("name", ASKING)
def test_a_provider_with_webhooks_of_json_shows_two(name: str) -> None:
    """They are then tried without each member that nobody needs."""
    for part in ("ANNOUNCED", "ENDED") if reads_json(name) else ():
        assert own(name, part), f"{name}: {wanted(name, f'{part}, a webhook of JSON and the places that it needs')}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_has_its_row_in_the_table(name: str) -> None:
    """As ``gateway providers`` prints it."""
    row = table([bare(name)]).splitlines()[-1]
    assert row in text_of("docs/providers.md"), f"{name}: write this row into the table of docs/providers.md:\n{row}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_in_the_changelog(name: str) -> None:
    """By its title, where users read what is new."""
    title = bare(name).traits.title
    said = " ".join(text_of("CHANGELOG.md").split())
    assert title in said, f"{name}: write a line with {title!r} under the first Added of CHANGELOG.md"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_page_shows_every_key(name: str) -> None:
    """Under *In gateway.yaml*, where it is looked for."""
    path = f"docs/providers/{name}.md"
    shown = "\n".join(block.text for block in blocks(ROOT / path) if block.language == "yaml")
    for key in settings_of(name).model_fields:
        if key not in OF_EVERY_SECTION:
            assert re.search(rf"\b{key}:", shown), f"{name}: show the key {key} in the yaml of {path}, In gateway.yaml"


@pytest.mark.parametrize("name", PROVIDERS)
def test_both_ends_speak_of_the_same_provider(name: str) -> None:
    """Name, title, formats, and whether keys are pressed on the stream."""
    assert name in SIMULATED, f"{name}: write gateway/sim/providers/{name}.py: its simulated end"
    ours, simulated = bare(name).traits, SIMULATED[name]
    path = f"gateway/sim/providers/{name}.py"
    assert simulated.name == name, f"{path}: name={simulated.name!r}: expected {name!r}"
    assert simulated.title == ours.title, (
        f"{path}: title={simulated.title!r}: expected {ours.title!r}, as in its traits"
    )
    assert simulated.keys == ours.keys_in, (
        f"{path}: keys={simulated.keys}: expected keys={ours.keys_in}, as keys_in of its traits; "
        f"or set keys_in={simulated.keys} in the traits"
    )
    more = set(simulated.audio_formats) - set(ours.formats)
    assert not more, (
        f"{path}: audio_formats has {formats(more)}, which formats of its traits has not: list it there too"
    )


def formats(found: set[AudioFormat]) -> str:
    return ", ".join(sorted(map(str, found)))


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_imports_no_other(name: str) -> None:
    """What several need lies in ``dialects`` or ``shared``."""
    for path, module in imported(name):
        other = re.match(r"gateway\.phone\.providers\.(\w+)", module)
        assert not other or other[1] == name, (
            f"{path}: imports {module}, another provider: what both need belongs into gateway/phone/dialects or shared"
        )


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_reads_neither_clock_nor_time_zone(name: str) -> None:
    """It is pure: the time is given to it, and a time that the vendor writes without a zone is not this machine's."""
    found = [f"{path}, line {line}: {wrong}" for path, node in nodes(name) for line, wrong in impure(node)]
    assert not found, f"{name}: change {'; '.join(found)}"


ZONED = "at.replace(tzinfo=at.tzinfo or UTC)"


def impure(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line of a call that reads the clock or the local time zone, and what to write in its place.

    ``timestamp`` and ``astimezone`` take a time without a zone for local time, so they may follow ``ZONED`` alone.
    """
    match node:
        case ast.Call(ast.Attribute(_, "now" | "today" | "utcnow" as called)):
            yield node.lineno, f"{called}() reads the clock: use now_s"
        case ast.Call(ast.Attribute(_, "fromtimestamp"), [_], []):
            yield node.lineno, "fromtimestamp() without a zone gives local time: add UTC"
        case ast.Call(ast.Attribute(time, "timestamp" | "astimezone" as called)) if not has_zone(time):
            yield node.lineno, f"{called}() takes a time without a zone for local time: write {ZONED}.{called}()"


def has_zone(time: ast.expr) -> bool:
    """Return whether an expression gives a time its zone at once."""
    match time:
        case ast.Call(ast.Attribute(_, "replace"), [], keywords):
            return any(each.arg == "tzinfo" and ast.unparse(each.value) != "None" for each in keywords)
    return False


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("datetime.now(UTC)", "reads the clock"),
        ("datetime.fromtimestamp(given)", "gives local time"),
        ("datetime.fromisoformat(given).astimezone()", "takes a time without a zone for local time"),
        ("at.astimezone(UTC)", "takes a time without a zone for local time"),
        ("at.replace(tzinfo=None).timestamp()", "takes a time without a zone for local time"),
        ("datetime.fromtimestamp(given, UTC)", ""),
        (f"{ZONED}.timestamp()", ""),
    ],
)
def test_what_reads_clock_or_time_zone_is_found(written: str, wrong: str) -> None:
    """As a provider may write it."""
    found = [said for node in ast.walk(ast.parse(written)) for _, said in impure(node)]
    assert [wrong in said for said in found] == ([True] if wrong else [])


def nodes(name: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield what the modules of a provider are made of, each with the module's path."""
    for path in sorted((ROOT / "gateway" / "phone" / "providers" / name).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield path.relative_to(ROOT).as_posix(), node


def imported(name: str) -> Iterator[tuple[str, str]]:
    """Yield the modules that the modules of a provider import."""
    for path, node in nodes(name):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for module in names:
            yield path, module
