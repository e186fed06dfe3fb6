"""All rules together."""

from gateway.records.explain.explaining import RULES
from gateway.records.explain.rules import actions, ends, sessions, speech, waits


def test_every_rule_is_applied() -> None:
    """Each public function of the rules' modules that takes a case."""
    found = {
        rule
        for module in (actions, ends, sessions, speech, waits)
        for name, rule in vars(module).items()
        if callable(rule) and getattr(rule, "__module__", "") == module.__name__ and not name.startswith(("_", "is_"))
    }
    assert found == set(RULES)
    assert len(RULES) == len(set(RULES))
