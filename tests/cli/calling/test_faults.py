"""``gateway call --faults``: the same seed is the same call, and whoever reads of a failure can have it again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.cli import main
from tests.e2e.rig import LINE, configuration

FAULTS = """
service:
  - {kind: cut, when: {reply: 2, delta: [1, 4]}}
  - {kind: errors, when: {s: [1, 3]}}
phone:
  - {kind: loss, share: 0.1}
"""


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """The commands configure logging for their process."""
    yield
    structlog.reset_defaults()


def call(folder: Path, *words: str | Path, faults: str = FAULTS) -> tuple[int, dict[str, Any]]:
    """Call in virtual time: the exit code, and ``call.json``."""
    file, out = folder / "faults.yaml", folder / "out"
    file.write_text(faults, "utf-8")
    line = f"{LINE}on_trouble: {{tries: 0}}\n"  # a call ends with its session
    config = configuration(folder, {"support": line}, "providers: {twilio: {}}\n")
    words = ("order_status", "goodbye", "--config", config, "--faults", file, "--out", out, "--force", *words)
    code = main(["call", "--virtual-time", *map(str, words)])
    return code, json.loads((out / "call.json").read_text("utf-8"))


def test_the_same_seed_is_the_same_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What struck, and when, and what the caller heard; the seed is in ``call.json`` and beside the failure."""
    (code, first), (_, second), (_, other) = (call(tmp_path, "--seed", seed) for seed in ("5", "5", "6"))
    assert (code, first["ended"]["gateway"]["reason"]) == (1, "voice_lost")
    assert first["faults"] == second["faults"]
    assert [turn["start_ms"] for turn in first["turns"]] == [turn["start_ms"] for turn in second["turns"]]
    assert first["faults"]["struck"] != other["faults"]["struck"]
    assert first["faults"]["seed"] == 5
    assert [(one["side"], one["kind"]) for one in first["faults"]["struck"]] == [
        ("phone", "loss"),
        ("service", "errors"),
        ("service", "cut"),
    ]
    assert f"the same faults again: --faults {tmp_path / 'faults.yaml'} --seed 5" in capsys.readouterr().err
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text("utf-8").splitlines()]
    assert [event["fault"] for event in events if event["kind"] == "fault"] == ["loss", "errors", "cut"]


def test_the_file_may_have_the_seed(tmp_path: Path) -> None:
    """Without one anywhere each call draws anew."""
    quiet = "service: [{kind: late_deltas}]\n"
    assert call(tmp_path, faults=f"seed: 9\n{quiet}")[1]["faults"]["seed"] == 9
    assert call(tmp_path, "--seed", "3", faults=f"seed: 9\n{quiet}")[1]["faults"]["seed"] == 3
    drawn = {call(tmp_path, faults=quiet)[1]["faults"]["seed"] for _ in range(2)}
    assert len(drawn) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seed", "1"), "--seed: there is nothing to draw, expected it beside --faults"),
        (("--faults", "FILE", "--url", "ws://127.0.0.1:9"), "breaks the emulator, which is not reached by --url"),
        (("--virtual-time", "--url", "ws://127.0.0.1:9"), "--virtual-time: a gateway that runs already has the time"),
        (("--faults", "none.yaml"), "none.yaml: cannot read the faults: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    """Before the call, with what was expected."""
    file = tmp_path / "faults.yaml"
    file.write_text(FAULTS, "utf-8")
    assert main(["call", "goodbye", *(str(file) if word == "FILE" else word for word in words)]) == 2
    assert said in capsys.readouterr().err


def test_a_model_has_the_time_of_its_own_and_no_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both need the emulator, which a script asks for."""
    monkeypatch.setenv("AZURE_COGNITIVE_SERVICES_ENDPOINT", "https://example.services.ai.azure.com")
    file = tmp_path / "faults.yaml"
    file.write_text(FAULTS, "utf-8")
    config = configuration(tmp_path, gateway="providers: {twilio: {}}\n")
    for words, said in (
        (["--virtual-time"], "--virtual-time: the model at https://example.services.ai.azure.com has the time"),
        (["--faults", str(file)], "breaks the emulator, and https://example.services.ai.azure.com answers"),
    ):
        assert main(["call", "goodbye", "--config", str(config), *words]) == 2
        assert said in capsys.readouterr().err


def test_a_call_lasts_as_long_as_the_caller_may(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten minutes by itself, and as many as are asked for: none of them is waited for."""
    config = configuration(tmp_path, gateway="providers: {twilio: {}}\n")
    words = ("--press", "1@29", "--config", config, "--out", tmp_path / "out", "--virtual-time")
    assert main(["call", *map(str, words), "--hang-up-after", "30"]) == 0
    assert json.loads((tmp_path / "out" / "call.json").read_text("utf-8"))["duration_ms"] in range(29_000, 30_100)
    assert main(["call", *map(str, words), "--hang-up-after", "0"]) == 2
    assert "--hang-up-after: 0 is too short, expected seconds from 1" in capsys.readouterr().err


def test_a_seed_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The error says what was expected."""
    with pytest.raises(SystemExit):
        main(["call", "goodbye", "--seed", "-1"])
    assert "'-1' is no seed, expected a whole number from 0" in capsys.readouterr().err
