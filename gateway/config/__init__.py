"""YAML and environment to typed, immutable settings, or ConfigErrors that say file, line and column."""

from gateway.config.deployment import Deployment, load_deployment
from gateway.config.line.line import Line
from gateway.config.lines import Lines
from gateway.config.reading.problems import ConfigErrors

__all__ = ["ConfigErrors", "Deployment", "Line", "Lines", "load_deployment"]
