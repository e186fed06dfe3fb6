"""The figures as a Markdown table for people and as JSON for scripts."""

import dataclasses
import math
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.capacity import Capacity
from bench.trial import Result, Spread

COMPARED_AT_CALLS = 100
HEADINGS = (
    "program",
    "calls",
    "CPU per call, % of a core",
    "memory per call, KB",
    "caller → Voice Live, ms p50 / p99",
    "Voice Live → caller, ms p50 / p99",
    "barge-in → clear, ms p50 / p99",
    "late frames",
    "lost frames in / out",
    "stale frames",
    "load, % / late p99 ms",
)


def table(results: Sequence[Result]) -> str:
    """Return a table with one row per trial."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(_row(result) for result in results)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.target,
        str(result.calls),
        f"{result.cpu_percent_per_call:.2f}",
        f"{result.memory_kb:.0f}",
        _spread(result.to_voice),
        _spread(result.to_phone),
        _spread(result.barge_in) + (f" ({result.barge_ins_missed} missed)" if result.barge_ins_missed else ""),
        str(result.late_frames),
        f"{result.frames_lost} / {result.reply_frames_lost}",
        str(result.stale_frames),
        f"{result.load_percent:.0f} / {result.load_lateness.p99:.1f}",
    )


def _spread(spread: Spread) -> str:
    return "–" if not spread.count else f"{spread.p50:.2f} / {spread.p99:.2f}"


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


def comparison(results: Sequence[Result], capacities: Mapping[str, Capacity]) -> dict[str, float]:
    """Return the gateway's figures as a share of the plain bridge's, as far as both were measured."""
    cpu = {r.target: r.cpu_percent_per_call for r in results if r.calls == COMPARED_AT_CALLS}
    ratios = {}
    if {"gateway", "plain"} <= cpu.keys():
        ratios["cpu_per_call_at_100"] = cpu["gateway"] / cpu["plain"]
    if {"gateway", "plain"} <= capacities.keys() and capacities["plain"].calls:
        ratios["calls"] = capacities["gateway"].calls / capacities["plain"].calls
    return ratios


def summary(results: Sequence[Result], capacities: Mapping[str, Capacity]) -> list[str]:
    """Return the largest numbers of calls and the two ratios, a line each."""
    lines = []
    for name, capacity in capacities.items():
        bound = f"; {capacity.too_many} were too many" if capacity.too_many else "; none tried was too many"
        blame = "" if capacity.is_load_trusted else ", though there the load could not keep up either"
        lines.append(f"Most calls that go well, {name}: {capacity.calls}{bound}{blame}.")
    ratios = comparison(results, capacities)
    if "cpu_per_call_at_100" in ratios:
        lines.append(f"CPU per call at 100 calls, gateway / plain: {ratios['cpu_per_call_at_100']:.2f}.")
    if "calls" in ratios:
        lines.append(f"Most calls, gateway / plain: {ratios['calls']:.2f}.")
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
    }


def document(results: Sequence[Result], capacities: Mapping[str, Capacity]) -> dict[str, Any]:
    """Return everything for JSON: not-a-number becomes null."""
    whole = {
        "machine": machine(),
        "trials": [dataclasses.asdict(result) for result in results],
        "capacity": {name: dataclasses.asdict(capacity) for name, capacity in capacities.items()},
        "gateway_to_plain": comparison(results, capacities),
    }
    return {key: _finite(value) for key, value in whole.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
