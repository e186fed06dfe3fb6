"""The options that several commands have in common: the configuration, where to listen, and how to log."""

import argparse
from pathlib import Path

from gateway.config.urls import listening_host
from gateway.logs import setup as logs

CONFIG = Path("config/gateway.yaml")


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``, which is the same in every command that reads the configuration."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"gateway.yaml (default {CONFIG})")


def address(text: str) -> str:
    """Return a host to listen on; ``ArgumentTypeError`` for what is none."""
    try:
        return listening_host(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} {error}") from None


def port(text: str) -> int:
    """Return a port, 0 for a free one; ``ArgumentTypeError`` for what is none."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port, expected 0 to 65535")
    return int(text)


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--log``, ``--log-level`` and ``--log-private``."""
    parser.add_argument("--log", choices=["json", "text"], help="default: text on a terminal, else json")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    parser.add_argument("--log-private", action="store_true", help="log what callers say and key, and their numbers")


def configure_logs(options: argparse.Namespace) -> None:
    """Log as the options say."""
    json = options.log == "json" or (options.log is None and not logs.is_terminal())
    logs.configure(json=json, level=options.log_level, private=options.log_private)
