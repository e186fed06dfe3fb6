"""``gateway demo`` and ``gateway call``: a simulated call, told as it happens, kept as a folder."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.audio.audio_file import Channel
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.call.ending import EndReason
from gateway.cli.check import add_config_option
from gateway.cli.loop import run
from gateway.cli.narrator import Narrator
from gateway.cli.own_gateway import CalledGateway, own_gateway
from gateway.config import Deployment, Lines, load_deployment
from gateway.config.numbers import ANY_NUMBER
from gateway.errors import InputError
from gateway.sim.call import CallPlan, CallResult, place_call
from gateway.sim.caller import Utterance
from gateway.sim.emulator import Script, load_script
from gateway.sim.folder import folder_name, write_folder
from gateway.sim.keys import Press, parse_press
from gateway.sim.providers import PROVIDERS
from gateway.sim.recording import load_recording
from gateway.sim.timeline import TimelineEvent

CODECS: dict[str, AudioFormat] = {
    "pcmu": PCMU,
    "pcma": PCMA,
    "l16-8k": L16_8K,
    "l16-16k": L16_16K,
    "l16-24k": L16_24K,
}
CALLER = "+14155550123"
CALLED = "+14255550100"
"""Dialled where the only line takes any number."""
DEMO = (("order_status.wav", None), ("change_delivery.wav", 2500), ("goodbye.wav", None))
"""The demo's recordings, and how long into the bot's reply each one begins; ``None`` waits for its end."""
END_LIMIT_S = 5.0
NORMAL = 1000
TURNED_AWAY = {
    1008: "it knows no line for that number, or refuses the stream",
    1011: "it failed",
    1013: "it takes no more calls now",
}
"""What a gateway that is not ours means by the code with which it closes a stream (RFC 6455, 7.4.1)."""
FINE = frozenset(
    {
        EndReason.CALLER_HUNG_UP,
        EndReason.BOT_HUNG_UP,
        EndReason.TRANSFERRED,
        EndReason.LINE_CLOSED,
        EndReason.SILENCE,
        EndReason.TIME_LIMIT,
    }
)


def add_demo(commands: Any) -> None:
    """``gateway demo``."""
    parser = commands.add_parser("demo", help="one simulated call, with no account and no network")
    add_config_option(parser)
    _add_result_options(parser)
    parser.set_defaults(run=lambda options: run(_demo(options)))


def add_call(commands: Any) -> None:
    """``gateway call``."""
    parser = commands.add_parser("call", help="a simulated call from recordings of your own")
    parser.add_argument(
        "recordings", nargs="*", type=Path, metavar="RECORDING", help="WAV, FLAC, Ogg, MP3, AIFF, or raw .ulaw or .alaw"
    )
    add_config_option(parser)
    parser.add_argument("--to", metavar="NUMBER", help="the called number (default: the first line's)")
    parser.add_argument("--from", dest="from_", default=CALLER, metavar="NUMBER", help=f"the caller (default {CALLER})")
    parser.add_argument("--provider", choices=list(PROVIDERS), default="twilio", help="whose wire (default twilio)")
    parser.add_argument("--codec", choices=list(CODECS), help="the phone's codec (default: the provider's usual one)")
    parser.add_argument(
        "--channel",
        type=Channel,
        choices=list(Channel),
        default=Channel.MIX,
        help="whom a stereo recording plays: the left or right channel, or both mixed (default mix)",
    )
    parser.add_argument(
        "--url", metavar="URL", help="a gateway that runs already: http://HOST:PORT, or a stream's ws://…"
    )
    parser.add_argument("--script", type=Path, metavar="FILE", help="what the emulator says; without --url only")
    parser.add_argument(
        "--interrupt-after", type=int, metavar="MS", help="speak over each reply, MS after it became audible"
    )
    parser.add_argument(
        "--press",
        action="append",
        default=[],
        metavar="KEYS[@SECONDS]",
        help="press keys SECONDS after the call began; without @SECONDS, in turn, behind the recordings",
    )
    _add_result_options(parser)
    parser.set_defaults(run=lambda options: run(_call(options)))


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="DIR", help="the call's folder (default calls/<start>-<call id>)")
    parser.add_argument("--json", action="store_true", help="print call.json instead of the conversation")


async def _demo(options: argparse.Namespace) -> int:
    with as_file(files("gateway.sim.prompts") / "caller") as recordings:
        utterances = [Utterance(load_recording(recordings / name, PCMU), after_ms) for name, after_ms in DEMO]
    logs.configure(json=False, level="error")
    deployment, lines = _configuration(options)
    narrator = Narrator(quiet=options.json)
    plan = CallPlan(utterances, to=_first_number(lines), from_=CALLER)
    async with own_gateway(deployment, lines, plan.provider, narrator.note, Script.default()) as stream:
        return await _place(plan, stream, narrator, options)


async def _call(options: argparse.Namespace) -> int:
    audio_format = CODECS[options.codec] if options.codec else PROVIDERS[options.provider].audio_formats[0]
    after_ms = options.interrupt_after
    if after_ms is not None and after_ms < 0:
        raise InputError(f"--interrupt-after: {after_ms} is negative, expected milliseconds from 0")
    presses = [parse_press(text) for text in options.press]
    if not options.recordings and not presses:
        raise InputError("expected a RECORDING or --press: the caller would say and do nothing")
    utterances = [
        Utterance(load_recording(path, audio_format, options.channel), after_ms if index else None)
        for index, path in enumerate(options.recordings)
    ]
    _warn_of_two_sides(utterances)
    logs.configure(json=False, level="error")
    narrator = Narrator(quiet=options.json)
    if options.url:
        plan = _plan(utterances, presses, options.to or "", options, audio_format)
        return await _place(plan, _running_gateway(options), narrator, options)
    deployment, lines = _configuration(options)
    to = options.to or _first_number(lines)
    if lines.for_number(to) is None:
        known = ", ".join(number for line in lines for number in line.settings.numbers)
        raise InputError(f"--to: no line takes {to}, expected one of {known}")
    plan = _plan(utterances, presses, to, options, audio_format)
    if deployment.voice_live.endpoint and not options.script:
        script = None
    else:
        script = load_script(options.script) if options.script else Script.default()
    async with own_gateway(deployment, lines, plan.provider, narrator.note, script) as stream:
        return await _place(plan, stream, narrator, options)


def _warn_of_two_sides(utterances: Sequence[Utterance]) -> None:
    for utterance in utterances:
        if utterance.recording.mixed:
            print(
                f"{utterance.recording.name}: two channels with different sounds, played as one; "
                "if it is a recorded call, --channel left or --channel right plays one side of it",
                file=sys.stderr,
            )


def _plan(
    utterances: Sequence[Utterance],
    presses: Sequence[Press],
    to: str,
    options: argparse.Namespace,
    audio_format: AudioFormat,
) -> CallPlan:
    return CallPlan(
        utterances, to, options.from_, provider=options.provider, audio_format=audio_format, presses=presses
    )


def _configuration(options: argparse.Namespace) -> tuple[Deployment, Lines]:
    deployment = load_deployment(options.config, os.environ)
    return deployment, Lines(deployment)


def _first_number(lines: Lines) -> str:
    """The line ``support``'s, else that of the first line that has one."""
    support_first = sorted(lines, key=lambda line: line.name != "support")
    numbers = (number for line in support_first for number in line.settings.numbers)
    return next((number for number in numbers if number != ANY_NUMBER), CALLED)


def _running_gateway(options: argparse.Namespace) -> CalledGateway:
    """A gateway that runs elsewhere: asked by its webhook where the URL is HTTP, else called by its stream."""
    told = asyncio.Event()
    told.set()
    if not options.url.startswith(("http://", "https://")):
        return CalledGateway(stream_url=options.url, ended=told)
    base, provider = options.url.rstrip("/"), options.provider
    prefix = f"{provider}_".upper()
    known = {name.removeprefix(prefix).lower(): value for name, value in os.environ.items() if name.startswith(prefix)}
    return CalledGateway(
        answer_url=f"{base}/answer/{provider}", status_url=f"{base}/status/{provider}", secrets=known, ended=told
    )


async def _place(plan: CallPlan, stream: CalledGateway, narrator: Narrator, options: argparse.Namespace) -> int:
    asked = replace(
        plan, url=stream.stream_url, answer_url=stream.answer_url, status_url=stream.status_url, secrets=stream.secrets
    )
    result = await place_call(asked, api=stream.api, on_progress=narrator.progress)
    with suppress(TimeoutError):  # a call that was turned away has no end to tell of
        async with asyncio.timeout(END_LIMIT_S):
            await stream.ended.wait()
    notes = [TimelineEvent(note.at, note.kind, note.fields) for note in stream.notes]
    header = {"line": narrator.line} if narrator.line else {}
    out = options.out or Path("calls") / folder_name(result)
    write_folder(out, result, notes=notes, header=header)
    complaints = _complaints(result, stream)
    if options.json:
        print(json.dumps({**json.loads((out / "call.json").read_text("utf-8")), "folder": str(out)}, indent=2))
    narrator.done(out, complaints)
    return 1 if complaints else 0


def _complaints(result: CallResult, stream: CalledGateway) -> Sequence[str]:
    """What went wrong: an end that nobody wanted, or a rule of a wire that the gateway broke."""
    title = PROVIDERS[result.plan.provider].title
    found = [f"{title} would warn: {violation.code} {violation.what}" for violation in result.violations]
    ends = [note for note in stream.notes if note.kind == "call_ended"]
    unwanted = [
        f"the call ended by {n.fields['reason']}: {n.fields['detail']}" for n in ends if n.fields["reason"] not in FINE
    ]
    if not unwanted and result.ended_by == "gateway" and result.close_code != NORMAL:
        meaning = TURNED_AWAY.get(result.close_code or 0, "expected 1000")
        unwanted.append(f"{result.end_reason} with {result.close_code}: {meaning}")
    elif not stream.ended.is_set():
        unwanted.append("the gateway did not tell how the call ended: it never took it, or still holds it")
    found += unwanted
    if stream.emulator is not None:
        found += [f"Voice Live would object: {v}" for session in stream.emulator.sessions for v in session.violations]
    return found
