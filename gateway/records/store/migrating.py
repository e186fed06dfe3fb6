"""Brings the tables of a database to the newest version, with Alembic."""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from gateway.records.store.failures import DatabaseError

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "records_version"


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


def version(connection: Connection) -> tuple[str, str]:
    """Return the version of the tables, empty if there are none, and the newest one that this program knows."""
    return _context(connection).get_current_revision() or "", _scripts().get_current_head() or ""


def migrate(connection: Connection) -> list[str]:
    """Apply the migrations that are missing, within the transaction of ``connection``; return their versions.

    Raises ``DatabaseError`` for tables that are newer than this program.
    """
    scripts, context = _scripts(), _context(connection)
    known = list(reversed(list(scripts.walk_revisions())))
    names = [script.revision for script in known]
    found = context.get_current_revision() or ""
    if found and found not in names:
        raise DatabaseError(
            f"the records' tables have version {found}, expected {names[-1]} or older: update the gateway"
        )
    missing = known[names.index(found) + 1 :] if found else known
    with Operations.context(context):
        for script in missing:
            script.module.upgrade()
            context.stamp(scripts, script.revision)
    return [script.revision for script in missing]
