"""Checks a configuration without a network, for ``gateway check``, ``serve`` and ``doctor``.

checked       checks a whole configuration, or single files
capabilities  compares lines with what their providers can do
"""
