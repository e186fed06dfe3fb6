"""The models of a file of faults: what a fault may say, and what contradicts itself."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.sim.faults import load_faults
from tests.sim.faults.test_reading import written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: -1\n", "1:1: seed: Input should be greater than or equal to 0"),
        ("service:\n- {kind: cut}\n", "2:3: service.0: the key 'when' is missing"),
        ("service:\n- {kind: cut, when: {}}\n", "2:15: service.0.when: give one of s, reply or event"),
        ("service:\n- {kind: cut, when: {s: 1, reply: 2}}\n", "service.0.when: give one of s, reply or event"),
        ("service:\n- {kind: cut, when: {s: 1, delta: 2}}\n", "service.0.when: delta needs reply"),
        ("service:\n- {kind: cut, when: {s: 1, nth: 2}}\n", "service.0.when: nth needs event"),
        ("service:\n- {kind: cut, when: {s: [3, 1]}}\n", "the range [3.0, 1.0] goes down, expected [from, to]"),
        ("service:\n- {kind: cut, when: {reply: 0}}\n", "service.0.when.reply: Input should be greater"),
        ("service:\n- {kind: refuse, retry_after_s: 1}\n", "service.0: retry_after_s needs a status"),
        ("service:\n- {kind: mute, when: {event: x}}\n", "a service falls silent from a reply on, or after some time"),
        ("phone:\n- {kind: loss, share: 2}\n", "2:16: phone.0.share: Input should be less than or equal to 1"),
        ("phone:\n- {kind: vanish, when: {reply: 1, s: 2}}\n", "phone.0.when: give one of s or reply"),
        ("phone:\n- {kind: vanish, when: {s: 1, heard_s: 2}}\n", "phone.0.when: heard_s needs reply"),
        ("phone:\n- {kind: vanish, when: {s: 1}, probability: 1.5}\n", "phone.0.probability: Input should be less"),
    ],
)
def test_a_fault_that_contradicts_itself_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """The error names the key and what was expected."""
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_faults(file)
    assert str(caught.value).startswith(f"{file}:")
    assert said in str(caught.value)
