"""The mutations that ``make mutants`` tries, as far as they can be checked in no time."""

from tests.mutants.mutation import ROOT, equivalent_files, equivalents, mutations

MOST_EQUIVALENT = 31
"""So many mutants are named as equivalent: fewer when one of them can be killed or its code is gone, never more."""


def test_the_list_of_equivalent_mutants_only_shrinks() -> None:
    """A mutant that survives is killed by a test; the list is for what no test can see."""
    assert sum(len(equivalents(file)) for file in equivalent_files()) <= MOST_EQUIVALENT


def test_equivalent_mutants_are_of_code_that_is_there() -> None:
    """What became of a line is looked at anew when the line changes."""
    for file in equivalent_files():
        lines = {line.strip() for line in (ROOT / file).read_text("utf-8").splitlines()}
        for change in equivalents(file):
            assert lines.issuperset(change.old), f"{file}: no such lines any more:\n{change}"


def test_each_mutation_has_a_name_of_its_own() -> None:
    """Its name tells which one survived."""
    names = [(mutation.file, mutation.name) for mutation in mutations()]
    assert len(names) > 300
    assert len(names) == len(set(names))
