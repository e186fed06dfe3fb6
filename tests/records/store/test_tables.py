"""The tables and what they have in common."""

from typing import get_args

import pytest

from gateway.records.rows import Row
from gateway.records.store.tables import OF_A_CALL, TABLE_OF, metadata


def test_what_belongs_to_a_call_is_found_by_its_key() -> None:
    """In every table but those of the processes, and the audit, which outlives the calls that it names."""
    assert {table.name for table in set(metadata.tables.values()) - set(OF_A_CALL)} == {"workers", "meta", "audit"}


def test_every_column_that_must_have_a_value_has_a_default_or_is_given() -> None:
    """A row may leave out what it does not know."""
    given = {"call_key", "n", "started", "fields", "id", "created", "worker", "heartbeat", "name", "at"}
    without = {
        c.name for table in metadata.tables.values() for c in table.columns if not c.nullable and not c.server_default
    }
    assert without <= given


@pytest.mark.parametrize("kind", get_args(Row))
def test_every_row_has_its_table(kind: type[Row]) -> None:
    """With a column for each of its fields, and a key among them."""
    table = TABLE_OF[kind]
    assert set(kind.__struct_fields__) <= set(table.columns.keys())
    assert set(table.primary_key.columns.keys()) <= set(kind.__struct_fields__)
