"""YAML and environment to typed, immutable settings, or ConfigErrors that say file, line and column.

deployment       ``gateway.yaml``: where the gateway is, how it reaches Voice Live, its limits
full             the answer to a call for which there is no room
endpoints        the Azure resources at which sessions are opened
api_versions     which version of the Voice Live API knows which member
providers        the accounts at providers, as they are configured
accounts         the names of the accounts, and their environment variables
secrets          where secrets come from, and their shapes
line/            one line's settings: the models of its file
records/         the settings of what remains of a call
console/         the settings of the console
line_file        reads and checks the file of one line
line_functions   a line's tools as functions
python_tools     functions in Python as tools: their schema
session_formats  the formats in which the service takes and brings audio
numbers          which line a called number belongs to
lines            all lines, and their files as they change
following        follows the files in a thread
kept             copies of the last good configuration, for new workers
urls             the URLs of the configuration, which a request can go to, and the addresses to listen on
reading/         YAML to values that know where they were written
checks/          errors and warnings about what was read
telling/         describes a configuration in words, and as JSON Schema

May import what stands below ``gateway.config`` in the layers of pyproject.toml. Pure, but for files: only ``following``
and ``lines`` import threading or time.
"""

from gateway.config.deployment import Deployment, load_deployment
from gateway.config.line.line import Line
from gateway.config.lines import Lines
from gateway.config.reading.problems import ConfigErrors

__all__ = ["ConfigErrors", "Deployment", "Line", "Lines", "load_deployment"]
