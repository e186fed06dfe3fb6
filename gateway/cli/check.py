"""``gateway check`` and ``gateway schema``: the configuration, read and told."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from gateway.config import ConfigErrors, Line, Lines, load_deployment
from gateway.config.describe import describe, warnings
from gateway.config.describe_accounts import describe_accounts
from gateway.config.providers import provider_of
from gateway.config.schema import schemas
from gateway.config.tools import McpTool
from gateway.redaction import Redactor, secrets_in

CONFIG = Path("config/gateway.yaml")


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """``--config``, alike in every command that reads the configuration."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"gateway.yaml (default {CONFIG})")


def add_check(commands: Any) -> None:
    """``gateway check``."""
    parser = commands.add_parser("check", help="read the configuration; say what is wrong, or what each line will do")
    add_config_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a script")
    parser.set_defaults(run=_check)


def add_schema(commands: Any) -> None:
    """``gateway schema``."""
    parser = commands.add_parser("schema", help="print the JSON Schema of a line file and of gateway.yaml, for editors")
    parser.add_argument("which", nargs="?", choices=["line", "gateway"], help="only this one")
    parser.set_defaults(run=_schema)


def _check(options: argparse.Namespace) -> int:
    if options.json:
        return _check_for_scripts(options.config)
    deployment = load_deployment(options.config, os.environ)
    lines = Lines(deployment)
    for line in lines:
        print(describe(line), end="\n\n")
    if deployment.providers.served:
        print(describe_accounts(deployment), end="\n\n")
    for warning in [*map(str, lines.overlooked), *warnings(deployment, lines)]:
        print(f"warning: {warning}")
    print(f"{options.config}: fine, {len(lines)} lines")
    return 0


def _check_for_scripts(config: Path) -> int:
    """The same as JSON: ``errors`` with file, line, column, key and message; ``warnings``; ``providers``, ``lines``."""
    told: dict[str, object] = {"errors": [], "warnings": [], "providers": {}, "lines": {}}
    try:
        deployment = load_deployment(config, os.environ)
        lines = Lines(deployment)
        told["warnings"] = [*map(str, lines.overlooked), *warnings(deployment, lines)]
        accounts = deployment.providers.accounts
        told["providers"] = {name: provider_of(name, section) for name, section in accounts.items()}
        told["lines"] = {line.name: _told(line) for line in lines}
    except ConfigErrors as wrong:
        names = ("file", "line", "column", "key", "message")
        told["errors"] = [{name: getattr(error, name) for name in names} for error in wrong.errors]
    print(json.dumps(Redactor(secrets_in(os.environ)).value(told), indent=2))
    return 2 if told["errors"] else 0


def _told(line: Line) -> dict[str, object]:
    settings = line.settings
    built_in = [tool for tool in settings.tools if isinstance(tool, str)]
    servers = [tool.mcp.server_label for tool in settings.tools if isinstance(tool, McpTool)]
    return {
        "numbers": settings.numbers,
        "model": line.model,
        "agent": settings.agent.name if settings.agent else "",
        "tools": [*built_in, *(function.name for function in line.functions), *servers],
        "transfers": list(settings.transfers),
    }


def _schema(options: argparse.Namespace) -> int:
    both = schemas()
    print(json.dumps(both[options.which] if options.which else both, indent=2))
    return 0
