"""The alerting rules: they parse, fire for what they are meant for, and each has its section in the runbook."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.call import notes
from gateway.call.ending import ENDED_BY, EndCall, EndReason
from gateway.call.metrics import Metrics
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.call.refusal import Refusal
from gateway.records.delivery.metrics import DeliveryMetrics
from gateway.records.store.metrics import RecordMetrics
from gateway.voice.endpoints.metrics import EndpointMetrics
from tests.documents import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
RULES: list[dict[str, Any]] = YAML(typ="safe").load((FOLDER / "rules.yml").read_text("utf-8"))["groups"][0]["rules"]
CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 10.0)

promtool = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    promtool is None, reason="promtool is not installed (Debian's package prometheus): the alerts are not tried"
)


def run_promtool(*arguments: str) -> None:
    """Run it; what it says is the failure."""
    assert promtool is not None
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- promtool itself
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_rules_are_proved_by_their_own_tests() -> None:
    """Each alert fires, and none on a usual day."""
    run_promtool("check", "rules", "rules.yml")
    run_promtool("test", "rules", "rules_test.yml")


def ended(reason: EndReason) -> Callable[[Metrics], None]:
    """A call that ends so."""
    return lambda metrics: metrics.ended(CALL, EndCall(reason, ENDED_BY[reason]), 20.0, late_frames=0)


def noted(note: Note) -> Callable[[Metrics], None]:
    """A note of a call."""
    return lambda metrics: metrics.observe(CALL, TimedNote(11.0, note))


FIRST_EVENTS: list[tuple[str, Callable[[Metrics], None]]] = [
    *(("GatewayCallsFail", ended(EndReason(reason))) for reason in EndReason if reason.startswith("voice_")),
    ("GatewayCallsFail", ended(EndReason.FAULT)),
    *(("GatewayStreamsBreak", ended(EndReason(reason))) for reason in EndReason if reason.startswith("stream_")),
    *(("GatewayTurnsCallsAway", lambda m, r=r: m.refused(r)) for r in (Refusal.FULL, Refusal.LINE_FULL)),
    ("GatewayIsCrowded", lambda m: m.refused(Refusal.CROWDED)),
    ("GatewayIsSaturated", lambda m: m.saturated.set(1)),
    ("GatewayLosesLogLines", lambda m: m.log_lines_lost.inc()),
    *(("GatewayProofsFail", lambda m, r=r: m.refused(r)) for r in (Refusal.BAD_SIGNATURE, Refusal.UNAUTHORIZED)),
    *(("GatewayKnowsNoSuchLine", lambda m, r=r: m.refused(r)) for r in (Refusal.UNKNOWN_NUMBER, Refusal.UNKNOWN_LINE)),
    ("GatewayToolsFail", noted(notes.ToolReturned("status", "c", "error", 5))),
    ("GatewayToolsFail", noted(notes.McpReturned("crm", "any", "m", "timeout", 5))),
    ("GatewayTransfersFail", noted(notes.TransferFailed("desk", "busy"))),
    ("GatewayIsNotHeard", lambda m: m.speech_unreported.inc(10)),
    ("GatewayKeepsCallersWaiting", lambda m: m.answers_overdue.inc(10)),
    ("GatewayIsThrottled", noted(notes.ServiceError("rate_limit_exceeded", ""))),
    ("GatewaySeesOddMessages", noted(notes.MalformedMessage("phone", ""))),
    ("GatewaySeesOddMessages", noted(notes.MalformedMessage("voice", ""))),
    ("GatewayAnswersSlowly", noted(notes.ReplyStarted("r", 4000))),
    ("GatewayStutters", lambda m: m.ended(CALL, EndCall(EndReason.CALLER_HUNG_UP, "caller"), 20.0, late_frames=40)),
    (
        "GatewayLosesMarks",
        lambda m: m.ended(CALL, EndCall(EndReason.CALLER_HUNG_UP, "caller"), 20.0, late_frames=0, marks_lost=40),
    ),
    ("GatewayCallControlFails", lambda m: m.call_control_failures.labels("twilio").inc()),
    ("GatewayKeysAreUnavailable", lambda m: m.keys_unavailable.labels("acs").inc()),
    ("GatewayRefusesALine", lambda m: m.lines_refused.inc()),
]


@needs_promtool
def test_the_first_event_of_a_process_fires_its_alert(tmp_path: Path) -> None:
    """The series exists before the event: one that began with it would show no increase."""
    tests = []
    for alert, happens in FIRST_EVENTS:
        metrics = Metrics(["twilio", "acs"])
        metrics.know_line("support", ["status", "mcp:crm"])
        before = samples(metrics)
        happens(metrics)
        after = samples(metrics)
        series = [
            {"series": name, "values": f"{before[name]}x9 {value}x15" if name in before else f"_x9 {value}x15"}
            for name, value in after.items()
        ]
        fired = {"labels": f'{{alertname="{alert}"}}', "value": 1}
        query = f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
        tests.append(
            {
                "name": f"{alert}: its first event",
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    {"expr": query, "eval_time": "9m", "exp_samples": []},
                    {"expr": f"max_over_time({query}[10m:1m])", "eval_time": "19m", "exp_samples": [fired]},
                ],
            }
        )
    file = tmp_path / "first_events.yml"
    rules = str(FOLDER / "rules.yml")
    file.write_text(json.dumps({"rule_files": [rules], "evaluation_interval": "1m", "tests": tests}), "utf-8")
    run_promtool("test", "rules", str(file))


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample of the gateway's own metrics, by its series as Prometheus writes it."""
    families = [family for family in metrics.registry.collect() if family.name.startswith("gateway_")]
    return {
        f"{sample.name}{{{','.join(f'{key}={json.dumps(text)}' for key, text in sample.labels.items())}}}": sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_section_in_the_runbook(rule: dict[str, Any]) -> None:
    """Its annotation leads there; it is a page or a ticket."""
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOK
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_runbook_has_no_other_sections() -> None:
    """An alert that is gone leaves no advice behind."""
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("file", ["rules.yml", "rules_test.yml"])
def test_the_rules_ask_for_metrics_that_there_are(file: str) -> None:
    """By name, and by the values of their labels where those are ours."""
    metrics = Metrics(["twilio", "acs"])
    metrics.know_line("support")
    DeliveryMetrics(metrics.registry)
    RecordMetrics(metrics.registry)
    EndpointMetrics(metrics.registry, ["azure"])
    known = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    text = (FOLDER / file).read_text("utf-8")
    assert set(re.findall(r"\b(?:gateway|process)_\w+\b", text)) <= known
    for values, allowed in (
        (re.findall(r'gateway_call_ends_total{reason="(\w+)"', text), set(EndReason)),
        (re.findall(r'gateway_calls_refused_total{reason=~?"([\w|]+)"', text), set(Refusal)),
    ):
        assert {value for joined in values for value in joined.split("|")} <= allowed
