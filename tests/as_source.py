"""For tests that need a module as source: a compiled class takes no stand-in, and none of its methods is replaced."""

from types import ModuleType

import pytest


def needs_source(module: ModuleType) -> pytest.MarkDecorator:
    """Skip a test where ``module`` is compiled."""
    is_source = str(module.__file__).endswith(".py")
    return pytest.mark.skipif(not is_source, reason=f"{module.__name__} is compiled, and takes no stand-in")
