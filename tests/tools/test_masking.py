"""Secret values never reach the model, whatever the service repeats."""

import json

import pytest

from gateway.tools.masking import masked

CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (f'{{"card":"{CARD}"}}', '{"card":"entered"}'),
        (f'{{"card":{CARD}}}', '{"card":"entered"}'),
        ('{"card":4.111111111111111e15}', '{"card":"entered"}'),
        (f'{{"{CARD}":[1,"paid by {CARD}."]}}', '{"entered":[1,"paid by entered."]}'),
        ('{"card":"4111 1111 1111 1111"}', '{"card":"entered"}'),
        ('{"card":"4111-1111-1111-1111"}', '{"card":"entered"}'),
        ('{"card":"4111\u00a01111\u00a01111\u00a01111"}', '{"card":"entered"}'),
        (f'{{"n":1{CARD}7}}', '{"n":"entered"}'),
        (f'{{"n":-{CARD}}}', '{"n":"entered"}'),
        ('{"pin":42}', '{"pin":"entered"}'),
        ('{"pin":"0042"}', '{"pin":"entered"}'),
        ('{"said":"a \\"quote\\" and ü","n":[1.5,null,true]}', '{"said":"a \\"quote\\" and ü","n":[1.5,null,true]}'),
    ],
)
def test_a_secret_is_replaced(output: str, shown: str) -> None:
    """In texts, names and numbers, in groups too; the rest stays, and it is still JSON."""
    assert masked(output, [CARD, "0042"]) == shown
    json.loads(shown)


def test_the_longer_of_two_goes_first() -> None:
    """So that nothing is left of it."""
    assert masked('"123456 12"', ["12", "123456"]) == '"entered entered"'


def test_keys_that_are_no_digits() -> None:
    """A star is a star."""
    assert masked('"*12* 12"', ["*12*"]) == '"entered 12"'


@pytest.mark.parametrize("secrets", [[], [""]])
def test_nothing_secret_changes_nothing(secrets: list[str]) -> None:
    """The output is the same object."""
    output = '{"a": 1}'
    assert masked(output, secrets) is output
