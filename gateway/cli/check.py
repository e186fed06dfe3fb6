"""``gateway check`` and ``gateway schema``: the configuration, read and told."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from gateway.config import Lines, load_deployment
from gateway.config.describe import describe, warnings
from gateway.config.schema import schemas

CONFIG = Path("config/gateway.yaml")


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """``--config``, alike in every command that reads the configuration."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"gateway.yaml (default {CONFIG})")


def add_check(commands: Any) -> None:
    """``gateway check``."""
    parser = commands.add_parser("check", help="read the configuration; say what is wrong, or what each line will do")
    add_config_option(parser)
    parser.set_defaults(run=_check)


def add_schema(commands: Any) -> None:
    """``gateway schema``."""
    parser = commands.add_parser("schema", help="print the JSON Schema of a line file and of gateway.yaml, for editors")
    parser.add_argument("which", nargs="?", choices=["line", "gateway"], help="only this one")
    parser.set_defaults(run=_schema)


def _check(options: argparse.Namespace) -> int:
    deployment = load_deployment(options.config, os.environ)
    lines = Lines(deployment)
    for line in lines:
        print(describe(line), end="\n\n")
    for warning in warnings(deployment, lines):
        print(f"warning: {warning}")
    print(f"{options.config}: fine, {len(lines)} lines")
    return 0


def _schema(options: argparse.Namespace) -> int:
    both = schemas()
    print(json.dumps(both[options.which] if options.which else both, indent=2))
    return 0
