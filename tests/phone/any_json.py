"""What a peer may send, for property tests: bytes, text, JSON, and messages of known kinds with unknown contents."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def messages(events: Sequence[str], members: Sequence[str]) -> st.SearchStrategy[str | bytes]:
    """Any message; one in two says one of these ``events``, with any of these ``members``."""
    inner = values | st.dictionaries(st.sampled_from([*members, "payload", "digit", "name", "chunk"]), values)
    known = st.fixed_dictionaries({"event": st.sampled_from([*events, "x"])}, optional=dict.fromkeys(members, inner))
    return known.map(json.dumps) | st.binary(max_size=200) | st.text(max_size=200) | values.map(json.dumps)
