"""The figures as a Markdown table for people and as JSON for scripts."""

import dataclasses
import math
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.beside_tools import markdown
from bench.capacity import Capacity
from bench.latency import STAGES
from bench.result import Result, Spread

COMPARED_AT_CALLS = 200
HEADINGS = (
    "program",
    "delivery",
    "calls",
    "CPU per call, % of a core",
    "memory per call, KB",
    "start-up, s",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "barge-in → clear, ms p50 / p99",
    "start → first sound, ms p50 / p99",
    "turn over → answer, ms p50 / p99",
    "jitter, ms p50 / p99",
    "late frames",
    "lost frames in / out",
    "stale frames",
    "load, % / late p99 ms",
)


def table(results: Sequence[Result]) -> str:
    """Return a table with one row per trial."""
    return markdown([HEADINGS, *map(_row, results)])


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.target,
        result.conditions.delivery,
        str(result.calls),
        f"{result.cpu_percent_per_call:.2f}",
        f"{result.memory_kb:.0f}",
        f"{result.started_in_s:.1f}",
        _spread(result.to_voice),
        _spread(result.to_phone),
        _spread(result.barge_in) + (f" ({result.barge_ins_missed} missed)" if result.barge_ins_missed else ""),
        _spread(result.first_sound, digits=0),
        _spread(result.answers, digits=0),
        _spread(result.jitter),
        str(result.late_frames),
        f"{result.frames_lost} / {result.reply_frames_lost}",
        str(result.stale_frames),
        f"{result.load_percent:.0f} / {result.load_lateness.p99:.1f}",
    )


def _spread(spread: Spread, digits: int = 2) -> str:
    return f"{spread.p50:.{digits}f} / {spread.p99:.{digits}f}" if spread.count else "–"


def budget(results: Sequence[Result]) -> str:
    """Return a table of the stages from a stream's start to the first sound, of one trial of each program.

    It is the one with the most calls that went well, up to the number at which programs are compared.
    """
    chosen: dict[str, Result] = {}
    for result in sorted(results, key=lambda result: result.calls):
        if result.stages and result.is_well and result.calls <= COMPARED_AT_CALLS:
            chosen[result.target] = result
    heading = ("ms, p50 / p99", "whose", *(f"{name}, {result.calls} calls" for name, result in chosen.items()))
    rows = [
        (stage, "ours" if is_ours else "theirs", *(_spread(result.stages[stage], 1) for result in chosen.values()))
        for stage, is_ours in STAGES
    ]
    whole = ("from start to first sound", "", *(_spread(result.first_sound, 1) for result in chosen.values()))
    return markdown([heading, *rows, whole]) if chosen else ""


def remarks(results: Sequence[Result]) -> list[str]:
    """Return the remarks that a reader must know before trusting a row."""
    found = []
    for result in results:
        where = f"{result.target} at {result.calls} calls:"
        if not result.is_load_trusted:
            behind = f"{result.load_percent:.0f} % busy, p99 {result.load_lateness.p99:.0f} ms behind its clock"
            found.append(f"{where} the load itself could not keep up ({behind}): not the program's doing.")
        if not result.is_undisturbed:
            found.append(f"{where} others took {result.others_percent:.0f} % of its core.")
        if result.calls_failed:
            found.append(f"{where} {result.calls_failed} calls failed or never opened.")
        if result.sessions_left:
            found.append(f"{where} {result.sessions_left} Voice Live sessions outlived their calls.")
        if result.garbled:
            found.append(f"{where} {result.garbled} frames out of order, doubled, damaged or of another call.")
        if result.unexpected:
            found.append(f"{where} messages the service did not expect: {result.unexpected}.")
    return found


def comparison(results: Sequence[Result], capacities: Mapping[str, Sequence[Capacity]]) -> dict[str, dict[str, float]]:
    """Return the gateway's figures as a share of each other program's, as far as both were measured."""
    cpu = {
        (result.target, result.conditions.delivery): result.cpu_percent_per_call
        for result in results
        if result.calls == COMPARED_AT_CALLS
    }
    ratios: dict[str, dict[str, float]] = {}
    for (name, delivery), other in cpu.items():
        if name != "gateway" and ("gateway", delivery) in cpu:
            ratios.setdefault(name, {})[f"CPU per call, {delivery}"] = cpu["gateway", delivery] / other
    ours = {capacity.p99_ms: capacity.calls for capacity in capacities.get("gateway", ())}
    for name, found in capacities.items():
        for capacity in found:
            if name != "gateway" and capacity.p99_ms in ours and capacity.calls:
                what = f"calls, p99 under {capacity.p99_ms:g} ms"
                ratios.setdefault(name, {})[what] = ours[capacity.p99_ms] / capacity.calls
    return ratios


def summary(results: Sequence[Result], capacities: Mapping[str, Sequence[Capacity]]) -> list[str]:
    """Return the largest numbers of calls and the ratios, a line each."""
    lines = []
    for name, found in capacities.items():
        for capacity in found:
            bound = f"; {capacity.too_many} were too many" if capacity.too_many else "; none tried was too many"
            blame = "" if capacity.is_load_trusted else ", though there the load could not keep up either"
            limit = f"p99 under {capacity.p99_ms:g} ms"
            lines.append(f"Most calls that go well, {limit}, {name}: {capacity.calls}{bound}{blame}.")
    for name, ratios in comparison(results, capacities).items():
        lines += [f"Gateway / {name}, {what}: {ratio:.2f}." for what, ratio in ratios.items()]
    return lines


def machine() -> dict[str, str]:
    """Describe the machine that the figures were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": f"{model or platform.machine()}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "azure-ai-voicelive": version("azure-ai-voicelive"),
        "picows": version("picows"),
    }


def document(results: Sequence[Result], capacities: Mapping[str, Sequence[Capacity]]) -> dict[str, Any]:
    """Return everything for JSON: not-a-number becomes null."""
    whole = {
        "machine": machine(),
        "trials": [dataclasses.asdict(result) for result in results],
        "capacity": {name: [dataclasses.asdict(one) for one in found] for name, found in capacities.items()},
        "gateway_over_others": comparison(results, capacities),
    }
    return {key: _finite(value) for key, value in whole.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
