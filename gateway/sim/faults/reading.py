"""Reads a file of faults."""

from pathlib import Path

from gateway.sim.faults.plan import MODELS, FaultPlan
from gateway.sim.yaml_model import load


def load_faults(path: Path | str) -> FaultPlan:
    """Load the faults from a YAML file; ConfigError with file, line and column where it is not one."""
    return load(path, FaultPlan, "faults", "service, phone", MODELS)
