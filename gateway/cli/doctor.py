"""``gateway doctor``: tries what a call needs, with the objects of a call, and names what to mend."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gateway.cli.checking.checked import Checked, checked_deployment
from gateway.cli.loop import run
from gateway.cli.starting.options import add_config_option
from gateway.config import Deployment, Line
from gateway.config.secrets import secrets_within
from gateway.doctor.examination import VOICE_LIVE, Wishes, examine, examine_endpoint, means_for
from gateway.doctor.row import Outcome, Row, exit_code, fine, first_fault
from gateway.errors import ConfigError, InputError
from gateway.logs import setup as logs
from gateway.logs.outlet import styled_output
from gateway.logs.redaction import Redactor, secrets_in
from gateway.text import one_line
from gateway.voice.endpoints.making import service_at

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
Write = Callable[[Row], None]


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway doctor``."""
    add_config_option(parser)
    parser.add_argument("--line", metavar="NAME", help="try the sessions of this line alone")
    parser.add_argument("--speak", action="store_true", help="let each bot greet, and cancel and truncate an answer")
    parser.add_argument("--hear", action="store_true", help="play a recording to each bot, and wait for its answer")
    parser.add_argument(
        "--phone",
        action="append",
        default=[],
        metavar="PROVIDER",
        help="look at this account of gateway.yaml from its provider's side as well; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a script")
    parser.set_defaults(run=lambda options: run(_doctor(options)))


async def _doctor(options: argparse.Namespace) -> int:
    logs.configure(json=False, level="error", private=False)
    rows = await _examined(options, _output(quiet=options.json))
    code = exit_code(rows)
    print(json.dumps(_for_scripts(rows), indent=2) if options.json else _verdict(rows))
    return code


async def _examined(options: argparse.Namespace, write: Write) -> list[Row]:
    """Return all rows of a command; each is given to ``write`` as soon as it is known."""
    checked = checked_deployment(options.config)
    if checked.errors:
        return _printed(_errors(checked.errors), checked, write)
    (deployment,) = checked.deployments
    wishes = Wishes(options.speak, options.hear, _accounts(options.phone, deployment))
    return await _tried(checked, wishes, _chosen(checked.lines, options.line), deployment, write)


def tried_online(checked: Checked, *, quiet: bool) -> tuple[int, dict[str, object]]:
    """Try a configuration that was checked, for ``gateway check``: print it unless ``quiet``; return code and JSON."""
    logs.configure(json=False, level="error", private=False)
    (deployment,) = checked.deployments
    rows = run(_tried(checked, Wishes(), checked.lines, deployment, _output(quiet=quiet)))
    if not quiet:
        print(_verdict(rows))
    return exit_code(rows), _for_scripts(rows)


async def _tried(
    checked: Checked, wishes: Wishes, lines: Sequence[Line], deployment: Deployment, write: Write
) -> list[Row]:
    rows: list[Row] = []
    hidden = _redactor(checked)

    def tell(row: Row) -> None:
        rows.append(_redacted(row, hidden))
        write(rows[-1])

    if checked.warnings:
        tell(fine("warnings", f"{len(checked.warnings)}; gateway check tells them", str(deployment.file)))
    try:
        first, *others = deployment.reached
    except ConfigError as error:
        for row in _errors([error]):
            tell(row)
        return rows
    about = f"{VOICE_LIVE}, {first.label}" if others else VOICE_LIVE
    async with service_at(deployment, first) as service, means_for(service, about=about) as means:
        await examine(deployment, lines, means, tell, wishes)
    for other in others:
        about = f"{VOICE_LIVE}, {other.label}"
        async with service_at(deployment, other) as service, means_for(service, about=about) as means:
            await examine_endpoint(deployment, lines, means, tell, wishes)
    return rows


def _printed(found: Sequence[Row], checked: Checked, write: Write) -> list[Row]:
    hidden = _redactor(checked)
    rows = [_redacted(row, hidden) for row in found]
    for row in rows:
        write(row)
    return rows


def _errors(errors: Sequence[ConfigError]) -> list[Row]:
    wrong = sorted(errors, key=lambda error: (error.file, error.line, error.column))
    return [Row("configuration", Outcome.CONFIGURATION, str(error), _remedy(error), error.file) for error in wrong]


def _remedy(error: ConfigError) -> str:
    if Path(error.file).exists():
        return "correct it; gateway check tells all errors"
    return "gateway init writes a configuration that works"


def _chosen(lines: Sequence[Line], name: str | None) -> list[Line]:
    if name is None:
        return list(lines)
    found = [line for line in lines if line.name == name]
    if not found:
        raise InputError(f"--line: {name} is no line, expected one of {', '.join(line.name for line in lines)}")
    return found


def _accounts(names: Sequence[str], deployment: Deployment) -> tuple[str, ...]:
    served = deployment.providers.served
    for name in names:
        if name not in served:
            known = ", ".join(served) or "a provider under providers in gateway.yaml"
            raise InputError(f"--phone: {name} is not served, expected {known}")
    return tuple(dict.fromkeys(names))


def _redactor(checked: Checked) -> Redactor:
    configured = secrets_within([*checked.deployments, *(line.settings for line in checked.lines)])
    return Redactor({*secrets_in(os.environ), *configured})


def _redacted(row: Row, hidden: Redactor) -> Row:
    about, detail, remedy = (one_line(hidden.text(text)) for text in (row.about, row.detail, row.remedy))
    return Row(row.name, row.outcome, detail, remedy, about)


def _output(*, quiet: bool) -> Write:
    """Return what prints a row as soon as it is known, in colours on a terminal; nothing is printed if ``quiet``."""
    console = Console(file=styled_output(), highlight=False, markup=False, emoji=False, soft_wrap=True, quiet=quiet)
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


def _for_scripts(rows: Sequence[Row]) -> dict[str, object]:
    """Return ``exit``, ``begin_with`` (a row or null) and ``rows``, each with its members."""
    names = ("about", "name", "outcome", "detail", "remedy")
    shown = [{name: str(getattr(row, name)) for name in names} for row in rows]
    fault = first_fault(rows)
    return {"exit": exit_code(rows), "begin_with": shown[list(rows).index(fault)] if fault else None, "rows": shown}
