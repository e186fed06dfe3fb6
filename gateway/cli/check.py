"""``gateway check`` and ``gateway schema``: check and describe the configuration."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from gateway.cli.checking.checked import Checked, checked_deployment, checked_files
from gateway.cli.starting.options import add_config_option
from gateway.config import ConfigErrors, Line
from gateway.config.line.line import Rescue
from gateway.config.line.tools import McpTool
from gateway.config.providers import provider_of
from gateway.config.telling.describe import describe, named
from gateway.config.telling.describe_accounts import describe_accounts
from gateway.config.telling.describe_endpoints import describe_endpoints
from gateway.config.telling.describe_receivers import describe_receivers
from gateway.config.telling.schema import schemas
from gateway.errors import InputError
from gateway.logs.redaction import Redactor, secrets_in

MOST_IN_FULL = 10
"""More lines than this are told by a row each, unless ``--verbose`` wants them in full."""


def add_check(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway check``."""
    add_config_option(parser)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="check only this: the file of a line, with what gateway.yaml says, or another gateway.yaml with its lines",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help=f"say what each line will do, of more than {MOST_IN_FULL} too",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a script")
    parser.add_argument("--strict", action="store_true", help="end with 1 where there is a warning, for a pipeline")
    parser.add_argument(
        "--online", action="store_true", help="then try what a call needs, as gateway doctor does, and end as it does"
    )
    parser.set_defaults(run=_check)


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway schema``."""
    parser.add_argument("which", nargs="?", choices=["line", "gateway"], help="only this one")
    parser.set_defaults(run=_schema)


def _check(options: argparse.Namespace) -> int:
    if options.online and options.files:
        raise InputError("--online: takes no FILE, expected the whole configuration")
    checked = checked_files(options.files, options.config) if options.files else checked_deployment(options.config)
    wanting = int(options.strict and bool(checked.warnings))
    if options.json:
        code, tried = _online(checked, quiet=True) if options.online and not checked.errors else (0, None)
        report = _for_scripts(checked) | ({"online": tried} if options.online else {})
        print(json.dumps(Redactor(secrets_in(os.environ)).value(report), indent=2))
        return 2 if checked.errors else code or wanting
    if checked.errors:
        raise ConfigErrors(checked.errors)
    _tell_lines(checked.lines, in_full=options.verbose or len(checked.lines) <= MOST_IN_FULL)
    for deployment in checked.deployments:
        if deployment.providers.served:
            print(describe_accounts(deployment), end="\n\n")
        if endpoints := describe_endpoints(deployment):
            print(endpoints, end="\n\n")
        if receivers := describe_receivers(deployment):
            print(receivers, end="\n\n")
    for warning in checked.warnings:
        print(f"warning: {warning}")
    for fine in checked.fine:
        print(fine)
    code, _ = _online(checked, quiet=False) if options.online else (0, None)
    return code or wanting


def _tell_lines(lines: Sequence[Line], *, in_full: bool) -> None:
    if in_full:
        for line in lines:
            print(describe(line), end="\n\n")
        return
    for line in lines:
        print(named(line))
    print("what each will do: --verbose; what one of them will do: gateway check FILE", end="\n\n")


def _online(checked: Checked, *, quiet: bool) -> tuple[int, dict[str, object]]:
    from gateway.cli.doctor import tried_online  # noqa: PLC0415 -- a check without it needs nothing of a call

    return tried_online(checked, quiet=quiet)


def _for_scripts(checked: Checked) -> dict[str, object]:
    """Return ``errors`` with file, line, column, key and message; ``warnings``; ``providers`` and ``lines`` by name."""
    names = ("file", "line", "column", "key", "message")
    wrong = sorted(checked.errors, key=lambda error: (error.file, error.line, error.column))
    errors = [{name: getattr(error, name) for name in names} for error in wrong]
    if errors:
        return {"errors": errors, "warnings": [], "providers": {}, "lines": {}}
    accounts = [account for each in checked.deployments for account in each.providers.accounts.items()]
    return {
        "errors": [],
        "warnings": checked.warnings,
        "providers": {name: provider_of(name, section) for name, section in accounts},
        "lines": {line.name: _line_report(line) for line in checked.lines},
    }


def _line_report(line: Line) -> dict[str, object]:
    settings = line.settings
    built_in = [tool for tool in settings.tools if isinstance(tool, str)]
    servers = [tool.mcp.server_label for tool in settings.tools if isinstance(tool, McpTool)]
    return {
        "numbers": settings.numbers,
        "model": line.model,
        "fallback_models": line.fallbacks,
        "agent": settings.agent.name if settings.agent else "",
        "tools": [*built_in, *(function.name for function in line.functions), *servers],
        "transfers": list(settings.transfers),
        "after": _following(line, settings.after),
        "on_failure": _following(line, settings.on_failure),
        "when_full": _when_full(line),
        "on_shutdown": _following(line, settings.on_shutdown),
    }


def _when_full(line: Line) -> dict[str, object] | None:
    """Return the keys of ``when_full`` that are set; ``None`` where it is that of gateway.yaml."""
    full = line.settings.when_full
    return None if full is None else full.model_dump(exclude_none=True)


def _following(line: Line, wanted: Rescue | None) -> dict[str, str]:
    return {"say": wanted.say or "" if wanted else "", "transfer": line.number_of(wanted) if wanted else ""}


def _schema(options: argparse.Namespace) -> int:
    both = schemas()
    print(json.dumps(both[options.which] if options.which else both, indent=2))
    return 0
