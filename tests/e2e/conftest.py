import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def only_warnings() -> Iterator[None]:
    """A log line for each thing that is said would be most of what these tests cost.

    What a command made of the process's logging is given back as it was.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
