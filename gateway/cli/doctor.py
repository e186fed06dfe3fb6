"""``gateway doctor``: tries what a call needs, with the objects of a call, and names what to mend."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from gateway.cli.check import add_config_option
from gateway.cli.checking.checked import Checked, checked_deployment
from gateway.cli.loop import run
from gateway.config import Deployment, Line
from gateway.config.secrets import secrets_within
from gateway.doctor.examination import Means, Wishes, examine, means_for
from gateway.doctor.row import Outcome, Row, exit_code, failed, first_fault
from gateway.errors import ConfigError, InputError
from gateway.logs import setup as logs
from gateway.logs.outlet import styled_output
from gateway.logs.redaction import Redactor, secrets_in
from gateway.text import one_line
from gateway.voice.service import VoiceLive

_SHOWN = {
    Outcome.FINE: ("ok", "green"),
    Outcome.REDUCED: ("reduced", "yellow"),
    Outcome.UNCLEAR: ("unclear", "yellow"),
    Outcome.FAILED: ("failed", "red"),
    Outcome.CONFIGURATION: ("wrong", "red"),
    Outcome.SKIPPED: ("-", "dim"),
}
"""The word and the colour of each outcome."""
_WIDTH = max(len(word) for word, _ in _SHOWN.values())


def add_doctor(commands: Any) -> None:
    """Add ``gateway doctor`` to the commands."""
    parser = commands.add_parser(
        "doctor", help="try what a call needs, with the objects of a call, and say what to mend; costs no audio"
    )
    add_config_option(parser)
    add_wishes(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a script")
    parser.set_defaults(run=lambda options: run(_doctor(options)))


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what else to try."""
    parser.add_argument("--line", metavar="NAME", help="try the sessions of this line alone")


async def _doctor(options: argparse.Namespace) -> int:
    logs.configure(json=False, level="error", private=False)
    rows = await _examined(options, _silent if options.json else _writer())
    return _concluded(rows, as_json=options.json)


async def _examined(options: argparse.Namespace, write: Callable[[Row], None]) -> list[Row]:
    """Return all rows, without secrets; each is given to ``write`` as soon as it is known."""
    rows: list[Row] = []
    checked = checked_deployment(options.config)
    shown = Redactor({*secrets_in(os.environ), *_secrets(checked)})

    def tell(row: Row) -> None:
        row = _redacted(row, shown)
        rows.append(row)
        write(row)

    await tell_all(checked, options, tell)
    return rows


def _concluded(rows: Sequence[Row], *, as_json: bool) -> int:
    """Print what the rows come to; return the exit code."""
    code = exit_code(rows)
    if as_json:
        print(json.dumps(_for_scripts(rows, code), indent=2))
    else:
        print(_verdict(rows))
    return code


async def tell_all(checked: Checked, options: argparse.Namespace, tell: Callable[[Row], None]) -> None:
    """Examine a configuration that was checked, as ``options`` wish, and tell each row."""
    if checked.errors or not checked.deployments:
        for row in _errors(checked, options.config):
            tell(row)
        return
    deployment, lines = checked.deployments[0], _chosen(checked.lines, options.line)
    wishes = Wishes()
    if checked.warnings:
        tell(
            Row("warnings", Outcome.FINE, f"{len(checked.warnings)}; gateway check tells them", "", str(options.config))
        )
    try:
        endpoint = deployment.require_endpoint()
    except ConfigError as error:
        tell(_wrong(error))
        return
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(_service(deployment, endpoint))
        means: Means = await stack.enter_async_context(means_for(service))
        await examine(deployment, lines, means, tell, wishes)


def _service(deployment: Deployment, endpoint: str) -> VoiceLive:
    settings = deployment.voice_live
    return VoiceLive(
        endpoint,
        settings.key.get_secret_value() if settings.key else "",
        api_version=settings.api_version,
        connect_timeout_s=settings.connect_timeout_s,
    )


def _errors(checked: Checked, config: Path) -> list[Row]:
    wrong = sorted(checked.errors, key=lambda error: (error.file, error.line, error.column))
    return [_wrong(error) for error in wrong] or [failed("configuration", f"{config} has no gateway in it", "")]


def _wrong(error: ConfigError) -> Row:
    remedy = "correct it; gateway check tells all errors"
    if not Path(error.file).exists():
        remedy = "gateway init writes a configuration that works"
    return Row("configuration", Outcome.CONFIGURATION, str(error), remedy, error.file)


def _chosen(lines: Sequence[Line], name: str | None) -> list[Line]:
    if name is None:
        return list(lines)
    found = [line for line in lines if line.name == name]
    if not found:
        raise InputError(f"--line: {name} is no line, expected one of {', '.join(line.name for line in lines)}")
    return found


def _secrets(checked: Checked) -> set[str]:
    return set(secrets_within([*checked.deployments, *(line.settings for line in checked.lines)]))


def _redacted(row: Row, shown: Redactor) -> Row:
    texts = (one_line(shown.text(text)) for text in (row.detail, row.remedy, row.about))
    return Row(row.name, row.outcome, *texts)


def _silent(row: Row) -> None:
    """Print nothing: the rows are printed together."""


def _writer() -> Callable[[Row], None]:
    """Return what prints a row as soon as it is known, in colours on a terminal."""
    console = Console(file=styled_output(), highlight=False, markup=False, emoji=False, soft_wrap=True)
    last = ""

    def write(row: Row) -> None:
        nonlocal last
        if row.about != last:
            console.print(Text(row.about, "bold"))
            last = row.about
        word, colour = _SHOWN[row.outcome]
        console.print(Text(f"  {word:<{_WIDTH}}  ", colour) + Text(f"{row.name}: {row.detail}", "default"))
        if row.remedy:
            console.print(Text(f"  {'':<{_WIDTH}}  → {row.remedy}", colour))

    return write


def _verdict(rows: Sequence[Row]) -> str:
    fault = first_fault(rows)
    if fault is None:
        return "calls work as configured"
    begin = {
        Outcome.CONFIGURATION: "the configuration cannot be used",
        Outcome.FAILED: "calls would fail",
        Outcome.UNCLEAR: "not everything could be checked",
        Outcome.REDUCED: "calls work, reduced",
    }[fault.outcome]
    about = f" of {fault.about}" if fault.about else ""
    return f"{begin}; begin with {fault.name}{about}: {fault.remedy or fault.detail}"


def _for_scripts(rows: Sequence[Row], code: int) -> dict[str, object]:
    """Return ``exit``, ``begin_with`` (a row or null) and ``rows``, each with its members."""
    names = ("about", "name", "outcome", "detail", "remedy")
    told = [{name: str(getattr(row, name)) for name in names} for row in rows]
    fault = first_fault(rows)
    return {"exit": code, "begin_with": told[list(rows).index(fault)] if fault else None, "rows": told}
