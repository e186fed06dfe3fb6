"""Checks a whole configuration, or single files, for ``gateway check``."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.cli.checking.capabilities import capability_warnings
from gateway.config import ConfigErrors, Deployment, Line, Lines, load_deployment
from gateway.config.checks.dangers import exposures, weak_keys, weak_secrets
from gateway.config.checks.deployment_warnings import warnings
from gateway.config.checks.line_warnings import line_warnings
from gateway.config.deployment import DEFAULT_MODEL
from gateway.config.line.line import Settings
from gateway.config.line_file import LineFile
from gateway.config.reading.document import read_document
from gateway.config.reading.environment import MODEL, first_set
from gateway.errors import ConfigError


@dataclass
class Checked:
    """The result of a check: usable lines, warnings, errors, and a sentence for each file without errors."""

    deployments: list[Deployment] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)
    fine: list[str] = field(default_factory=list)


def checked_deployment(file: Path, environ: Mapping[str, str] | None = None) -> Checked:
    """Read a ``gateway.yaml`` and all its lines; without ``environ``, with the environment of this process."""
    checked = Checked()
    try:
        deployment = load_deployment(file, os.environ if environ is None else environ)
        lines = Lines(deployment)
        checked.deployments = [deployment]
        checked.lines = list(lines)
        checked.warnings = [*map(str, lines.overlooked), *warnings(deployment, lines)]
        checked.warnings += capability_warnings(deployment, lines)
        checked.warnings += weak_secrets(deployment)
        checked.errors = [*weak_keys(deployment), *exposures(deployment)]
    except ConfigErrors as wrong:
        checked.errors = list(wrong.errors)
    except ConfigError as wrong:
        checked.errors = [wrong]
    checked.fine = [f"{file}: fine, {len(checked.lines)} line{'s' * (len(checked.lines) != 1)}"]
    return checked


def checked_files(files: Sequence[Path], config: Path) -> Checked:
    """Read single files: each is the file of a line or a ``gateway.yaml``, as its keys say.

    A line is read with the model and providers of ``config``, if there is such a file.
    """
    checked = Checked()
    deployment = _deployment(config, checked) if any(not _is_deployment(file) for file in files) else None
    for file in files:
        if _is_deployment(file):
            whole = checked_deployment(file)
            checked.deployments += whole.deployments
            checked.lines += whole.lines
            checked.warnings += whole.warnings
            checked.errors += whole.errors
            checked.fine += whole.fine
        else:
            _check_line(file, deployment, checked)
    return checked


def _check_line(file: Path, deployment: Deployment | None, checked: Checked) -> None:
    environ = deployment.environ if deployment else os.environ
    model = deployment.voice_live.model if deployment else first_set(environ, MODEL) or DEFAULT_MODEL
    folder, region = (deployment.file.parent, deployment.providers.region) if deployment else (file.parent, "")
    trouble = deployment.trouble if deployment else None
    read = LineFile(file, model, environ, folder=folder, region=region, trouble=trouble)
    if read.line is None:
        checked.errors += read.errors
        return
    checked.lines.append(read.line)
    checked.warnings += line_warnings(read.line)
    checked.warnings += capability_warnings(deployment, [read.line]) if deployment else []
    checked.fine.append(f"{file}: fine")


def _deployment(config: Path, checked: Checked) -> Deployment | None:
    if not config.exists():
        return None
    try:
        return load_deployment(config, os.environ)
    except ConfigErrors as wrong:
        checked.errors += wrong.errors
        return None


def _is_deployment(file: Path) -> bool:
    """Return ``True`` if a file has more keys of a ``gateway.yaml`` than of a line; without keys, its name decides."""
    keys = read_document(file, os.environ).data.keys()
    of_a_line, of_the_gateway = (len(keys & kind.model_fields.keys()) for kind in (Settings, Deployment))
    return of_the_gateway > of_a_line or (of_the_gateway == of_a_line and file.stem.startswith("gateway"))
