"""``records``: where the records of calls are kept, what is in them, and for how long."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, Tag

from gateway.config.reading.environment import FromEnvironment, bare
from gateway.config.reading.section import WORD_OR_WHOLE, Section, Switch, Text, Whole

SQLITE = "sqlite:///"
DATABASE_FILE = "calls.db"

_SQLITE = re.compile(r"sqlite:///[^\s?#]+")
_POSTGRESQL = re.compile(r"postgres(ql)?://[^\s#]+")
_PASSWORD = re.compile(r"://[^/?#@]*:[^/?#@]+@|[?&]password=")

Numbers = Literal["full", "masked", "none"]


def _from_environment(value: Any) -> Any:
    has_password = isinstance(value, str) and _PASSWORD.search(value)
    if has_password and not isinstance(value, FromEnvironment):
        raise ValueError("has a password written into a file, expected a reference to the environment, ${NAME}")
    return value


def _address(secret: SecretStr) -> SecretStr:
    text = bare(secret.get_secret_value())
    if not _SQLITE.fullmatch(text) and not _POSTGRESQL.fullmatch(text):
        raise ValueError("is no database, expected such as sqlite:///data/calls.db or postgresql://user@host/calls")
    return SecretStr(text)


DatabaseAddress = Annotated[
    SecretStr,
    BeforeValidator(_from_environment),
    AfterValidator(_address),
    Field(json_schema_extra={"pattern": r"^(sqlite:///|postgres(ql)?://|\$\{\w+\}).*$"}),
]
"""The URL of a database; one with a password is a reference to the environment."""

Days = Annotated[
    Annotated[Literal["forever"], Tag("text")] | Annotated[Whole, Field(ge=1, le=36_500), Tag("other")], WORD_OR_WHOLE
]
"""Days for which something is kept, or ``forever``."""


class Records(Section):
    """Keeps a record of every call; ``records: false`` keeps none."""

    enabled: Switch = True
    """Keep a record of every call that `gateway serve` takes."""
    directory: Text = "data"
    """The folder of the database file and of what waits while a database is away; relative to this file.
    Defaults to GATEWAY_DATA, else data."""
    url: DatabaseAddress | None = None
    """The database: sqlite:///file, relative to this file, or postgresql://user@host/database. With a password as
    ${NAME} only. Defaults to GATEWAY_RECORDS_URL, else to calls.db in the directory."""
    migrate: Switch = True
    """Bring the tables to the newest version at the start; with false, `gateway records migrate` does."""
    words: Switch = True
    """Keep what callers and bots say, and the keys that callers press; with false, the times alone. Secret digits are
    never kept."""
    numbers: Numbers = "masked"
    """Keep phone numbers full, masked (+1425…00), or none. They can be found, and forgotten, in each case."""
    keep_days: Days = 90
    """Days after which a call's record is deleted, on lines without keep_days of their own; forever keeps all."""
    spool_mb: Annotated[Whole, Field(ge=1, le=100_000)] = 64
    """Megabytes of records that each process may keep in files while the database is away; more is lost and counted."""
    queue: Annotated[Whole, Field(ge=100, le=10_000_000)] = 50_000
    """Events that may wait in memory to be written; more are lost, and counted."""


class LineRecords(Section):
    """The records of one line, where they differ."""

    keep_days: Days | None = None
    """Days after which a record of this line is deleted; without it, as gateway.yaml says."""

    def days(self, others: Days) -> Days:
        """Return the days for which this line's records are kept, where all others are kept for ``others``."""
        return self.keep_days or others


def _switched(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


AnyRecords = Annotated[Records, BeforeValidator(_switched, json_schema_input_type=Records | bool)]
"""The section, or ``false`` for no records."""
