"""The mutations that ``make mutants`` tries, as far as they can be checked in no time."""

import ast
import tomllib
from contextlib import suppress

import pytest

from tests.mutants.__main__ import package_of
from tests.mutants.mutation import ROOT, equivalent_files, equivalents, mutations
from tests.mutants.tool import REPORT, Package, drawn, packages, reported

MOST_EQUIVALENT = {
    "call": 35,
    "config": 6,
    "phone": 9,
    "routes": 0,
    "tools": 6,
    "voice": 3,
}
"""Most mutants that are named as equivalent: fewer when one of them can be killed or its code is gone, never more."""


def test_the_list_of_equivalent_mutants_only_shrinks() -> None:
    """A mutant that survives is killed by a test; the list is for what no test can see."""
    counts = dict.fromkeys(MOST_EQUIVALENT, 0)
    for file in equivalent_files():
        counts[file.split("/")[1]] += len(equivalents(file))
    assert {package: count for package, count in counts.items() if count > MOST_EQUIVALENT[package]} == {}


def test_equivalent_mutants_are_of_code_that_is_there() -> None:
    """A line that has changed is judged anew."""
    for file in equivalent_files():
        lines = {line.strip() for line in (ROOT / file).read_text("utf-8").splitlines()}
        for change in equivalents(file):
            assert lines.issuperset(change.old), f"{file}: no such lines any more:\n{change}"


def test_each_mutation_has_a_name_of_its_own() -> None:
    """Its name tells which one survived."""
    names = [(mutation.file, mutation.name) for mutation in mutations()]
    assert len(names) > 300
    assert len(names) == len(set(names))


def test_each_mutation_is_tried_on_the_tests_of_its_package() -> None:
    """Also one of a module in a sub-package; those of a package inside another have their own."""
    tried = {mutation.file: package_of(mutation) for mutation in mutations()}
    assert tried["gateway/call/speaking/responses.py"] == tried["gateway/call/conversation.py"] == "gateway/call"
    assert all(file.startswith(f"{package}/") for file, package in tried.items())


def test_each_mutation_is_a_program() -> None:
    """One that cannot be compiled would count as noticed, whatever the tests say."""
    for mutation in mutations():
        with suppress(ValueError):  # its lines are gone: the run over the mutations tells that
            ast.parse(mutation.source(), f"{mutation.file}: {mutation.name}")


@pytest.mark.parametrize("package", packages().values(), ids=lambda package: package.name)
def test_what_the_tool_is_told_of_a_package_is_there(package: Package) -> None:
    """A file that was moved is not left out silently."""
    told = [argument.removeprefix("--ignore=") for argument in package.tests if "tests/" in argument]
    assert [path for path in [*told, *package.do_not_mutate] if not (ROOT / path).exists()] == []
    assert package.files()
    assert reported(REPORT.read_text("utf-8"), package.name, "figures\n") != REPORT.read_text("utf-8")


def test_the_tool_gets_the_settings_of_one_package() -> None:
    """The copy says what is mutated and which tests are run; what a slower test holds is left out."""
    call = packages()["call"]
    settings = tomllib.loads(call.settings())["tool"]["mutmut"]
    assert settings["pytest_add_cli_args_test_selection"] == call.tests
    assert "gateway/call/speaking/responses.py" in settings["only_mutate"]
    assert "gateway/call/calls.py" not in settings["only_mutate"]


def test_a_sample_stays_as_it_was() -> None:
    """A larger sample contains the smaller one, and a mutant that comes or goes moves no other; a seed draws others."""
    names = [f"gateway.a.x_b__mutmut_{number}" for number in range(1000)]
    forty = drawn(names, 40, 1)
    assert len(forty) == 40
    assert forty < drawn(names, 80, 1)
    assert len(forty - drawn(names[:-10], 40, 1)) <= 10
    assert forty != drawn(names, 40, 2)
    assert drawn(names, None, 1) == set(names)


def test_figures_of_other_packages_stay() -> None:
    """A run over one package replaces its figures alone."""
    document = (
        "<!-- figures of a -->\nold\n<!-- end of the figures of a -->\n"
        "<!-- figures of b -->\nkept\n<!-- end of the figures of b -->\n"
    )
    assert reported(document, "a", "new\n") == document.replace("old", "new")
    with pytest.raises(ValueError, match="no place for the figures of c"):
        reported(document, "c", "new\n")
