"""``gateway demo`` and ``gateway call``: turn the command line into a simulated call."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from gateway.audio.audio_file import Channel
from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.call.notes import CallEnded
from gateway.cli.accounts import provider_named
from gateway.cli.calling.caller_words import found, script_of
from gateway.cli.calling.faults import add_fault_options, check_emulated, chosen_faults
from gateway.cli.calling.narrator import Narrator
from gateway.cli.calling.own_gateway import CALLED, CalledGateway, number_to_call, own_gateway
from gateway.cli.calling.placing import Keeping, place
from gateway.cli.calling.verdict import Expected
from gateway.cli.completion import completes_directories, completes_files
from gateway.cli.init import starter
from gateway.cli.loop import run
from gateway.cli.starting.options import CONFIG, add_config_option
from gateway.config import Deployment, Line, Lines, load_deployment
from gateway.config.reading.environment import value_in, variable_of
from gateway.errors import InputError
from gateway.logs import setup as logs
from gateway.sim.caller.call import CallPlan
from gateway.sim.caller.caller import Utterance
from gateway.sim.caller.keys import Press, parse_press
from gateway.sim.caller.recording import load_recording
from gateway.sim.emulator import Script
from gateway.sim.prompts import caller_prompt, caller_prompts
from gateway.sim.providers import PROVIDERS, open_account
from gateway.sim.report.page import EMULATED
from gateway.text import unfit

CODECS: dict[str, AudioFormat] = {
    "pcmu": PCMU,
    "pcma": PCMA,
    "l16-8k": L16_8K,
    "l16-16k": L16_16K,
    "l16-24k": L16_24K,
}
CALLER = "+14155550123"
SCHEMES = ("http://", "https://", "ws://", "wss://")
REPORTED = (CallEnded.event,)
"""Events of the log that the narrator and the complaints report."""
DEMO = (("order_status", None), ("change_delivery", 2500), ("goodbye", None))
"""The demo's recordings, each with its start after the reply's beginning; ``None`` waits for the reply's end."""


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway demo``."""
    completes_files(
        parser.add_argument("--config", type=Path, metavar="FILE", help="call a line of this gateway.yaml instead")
    )
    _add_result_options(parser)
    parser.set_defaults(run=lambda options: run(_demo(options)))


def add_call(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``gateway call``."""
    ours = ", ".join(prompt.path.stem for prompt in caller_prompts())
    completes_files(
        parser.add_argument(
            "recordings",
            nargs="*",
            type=Path,
            metavar="RECORDING",
            help=f"WAV, FLAC, Ogg, MP3, AIFF, or raw .ulaw or .alaw; or one that comes with the gateway: {ours}",
        )
    )
    add_config_option(parser)
    _add_phone_options(parser)
    _add_gateway_options(parser)
    _add_course_options(parser)
    add_fault_options(parser)
    parser.add_argument("--max-answer-ms", type=int, metavar="N", help="fail if an answer takes longer than N ms")
    _add_result_options(parser)
    parser.set_defaults(run=lambda options: run(_call(options), virtual=options.virtual_time))


def _dialled(text: str) -> str:
    if problem := unfit(text):
        raise argparse.ArgumentTypeError(f"holds {problem}, expected a number")
    return text


def _add_phone_options(parser: argparse.ArgumentParser) -> None:
    """Add who calls whom, and how the call sounds on the way."""
    parser.add_argument(
        "--to",
        type=_dialled,
        metavar="NUMBER",
        help="the called number (default: that of the line support, else the first line's)",
    )
    parser.add_argument(
        "--from", type=_dialled, dest="from_", default=CALLER, metavar="NUMBER", help=f"the caller (default {CALLER})"
    )
    parser.add_argument(
        "--provider",
        default="twilio",
        metavar="NAME",
        help=f"whose wire: {', '.join(PROVIDERS)}, or the name of an account in gateway.yaml (default twilio)",
    )
    parser.add_argument(
        "--codec",
        choices=list(CODECS),
        help="the phone's codec, unless the gateway's answer sets one (default: the provider's usual)",
    )
    parser.add_argument(
        "--channel",
        type=Channel,
        choices=list(Channel),
        default=Channel.MIX,
        help="whom a stereo recording plays: the left or right channel, or both mixed (default mix)",
    )


def _add_gateway_options(parser: argparse.ArgumentParser) -> None:
    """Add which gateway is called, and what the emulator behind it says."""
    parser.add_argument(
        "--url", metavar="URL", help="a gateway that runs already: http://HOST:PORT, or a stream's ws://…"
    )
    parser.add_argument("--test-key", metavar="KEY", help="what serve --emulator printed; with --url only")
    completes_files(
        parser.add_argument("--script", type=Path, metavar="FILE", help="what the emulator says; without --url only")
    )


def _add_course_options(parser: argparse.ArgumentParser) -> None:
    """Add what the caller does during the call, and what they are to hear."""
    parser.add_argument(
        "--interrupt-after", type=int, metavar="MS", help="speak over each reply, MS after it became audible"
    )
    parser.add_argument(
        "--press",
        action="append",
        default=[],
        metavar="KEYS[@SECONDS]",
        help="press keys SECONDS after the call began; without @SECONDS, in turn, after the recordings",
    )
    parser.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="TEXT",
        help="fail unless the bot is heard to say TEXT; may be repeated; without --url only",
    )
    parser.add_argument(
        "--hang-up-after",
        type=int,
        default=600,
        metavar="S",
        help="the caller hangs up after S seconds at the latest (default 600)",
    )


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    completes_directories(
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="the call's folder (default calls/<start>-<call id>)"
        )
    )
    parser.add_argument("--force", action="store_true", help="replace the call that is in --out")
    parser.add_argument("--open", action="store_true", help="open the report in a browser")
    parser.add_argument("--json", action="store_true", help="print call.json instead of the conversation")


async def _demo(options: argparse.Namespace) -> int:
    recordings = [(prompt.path, after_ms) for name, after_ms in DEMO if (prompt := caller_prompt(name))]
    utterances = [Utterance(load_recording(path, PCMU), after_ms) for path, after_ms in recordings]
    logs.configure(json=False, level="error", without=REPORTED)
    narrator = Narrator(quiet=options.json)
    with starter() as folder:
        # The demo's own line needs nothing from the environment.
        deployment, lines = _configuration(options.config) if options.config else _configuration(folder / CONFIG, {})
        plan = CallPlan(utterances, to=number_to_call(lines), from_=CALLER)
        line = lines.for_number(plan.to)
        keeping = _keeping(options, EMULATED, **_about(line) if line else {})
        async with own_gateway(deployment, lines, plan.provider, narrator.note, Script.default()) as stream:
            narrator.answered_by(EMULATED)
            return await place(plan, stream, narrator, keeping, Expected())


async def _call(options: argparse.Namespace) -> int:
    wire = provider_named(options.provider, options.config)
    audio_format = CODECS[options.codec] if options.codec else PROVIDERS[wire].audio_formats[0]
    presses = [parse_press(text) for text in options.press]
    _check(options, presses)
    faults = chosen_faults(options)
    expected = Expected(options.expect, options.max_answer_ms)
    recordings = [found(path) for path in options.recordings]
    utterances = [
        Utterance(load_recording(path, audio_format, options.channel), options.interrupt_after if index else None)
        for index, path in enumerate(recordings)
    ]
    _warn_of_two_sides(utterances)
    logs.configure(json=False, level="error", without=REPORTED)
    planned = partial(
        CallPlan,
        utterances,
        from_=options.from_,
        provider=wire,
        audio_format=audio_format if options.codec else None,
        presses=presses,
        max_duration_s=options.hang_up_after,
    )
    if options.url:
        to = options.to or _likely_number(options)
        plan = planned(to=to)
        who = EMULATED if options.test_key else "the gateway at --url answers, with the service that it uses"
        narrator = Narrator(quiet=options.json)
        narrator.answered_by(who)
        keeping = _keeping(options, who)
        return await place(plan, _running_gateway(options, wire), narrator, keeping, expected, faults)
    deployment, lines = _configuration(options.config)
    to = options.to or number_to_call(lines)
    line = lines.for_number(to)
    if line is None:
        known = ", ".join(number for line in lines for number in line.settings.numbers)
        raise InputError(f"--to: no line takes {to}, expected one of {known}")
    plan = planned(to=to)
    script = script_of(options.script, deployment, line, recordings, presses)
    if script is None:
        check_emulated(options, faults, deployment.require_endpoint())
    who = EMULATED if script else f"{_model(line)} at {deployment.require_endpoint()} answers"
    narrator = Narrator(quiet=options.json, words=script is None or script.transcription == "normal")
    keeping = _keeping(options, who, **_about(line))
    async with own_gateway(deployment, lines, wire, narrator.note, script, account=options.provider) as stream:
        narrator.answered_by(who)
        if faults is not None and stream.emulator is not None:
            stream.emulator.faults = faults.drawn.service
        return await place(plan, stream, narrator, keeping, expected, faults)


def _check(options: argparse.Namespace, presses: Sequence[Press]) -> None:
    """Raise ``InputError`` for options that have no meaning here, or exclude each other."""
    after_ms = options.interrupt_after
    if after_ms is not None and after_ms < 0:
        raise InputError(f"--interrupt-after: {after_ms} is negative, expected milliseconds from 0")
    if options.hang_up_after < 1:
        raise InputError(f"--hang-up-after: {options.hang_up_after} is too short, expected seconds from 1")
    if not options.recordings and not presses:
        raise InputError("expected a RECORDING or --press: the caller would say and do nothing")
    if options.url and not options.url.startswith(SCHEMES):
        expected = "expected a gateway's http://… or https://…, or a stream's ws://… or wss://…"
        raise InputError(f"--url: the address does not say how it is reached, {expected}")
    if options.url and options.script:
        raise InputError("--script: the emulator of a gateway that runs already has its own; leave out --url")
    if options.url and options.expect:
        raise InputError("--expect: only the gateway knows the words, and one that runs already does not report them")
    if options.test_key and not (options.url or "").startswith(("http://", "https://")):
        raise InputError("--test-key: expected beside --url http://…, as serve --emulator printed it")


def _model(line: Line) -> str:
    return f"agent {line.settings.agent.name}" if line.settings.agent else line.model


def _about(line: Line) -> dict[str, str]:
    return {"model": _model(line), "voice": line.settings.voice.name}


def _keeping(options: argparse.Namespace, answered_by: str, **header: str) -> Keeping:
    keeping = Keeping(options.out, options.force, options.json, options.open, {"answered_by": answered_by, **header})
    keeping.check()
    return keeping


def _warn_of_two_sides(utterances: Sequence[Utterance]) -> None:
    for utterance in utterances:
        if utterance.recording.mixed:
            print(
                f"{utterance.recording.name}: two channels with different sounds, played as one; "
                "if it is a recorded call, --channel left or --channel right plays one side of it",
                file=sys.stderr,
            )


def _configuration(config: Path, environ: Mapping[str, str] = os.environ) -> tuple[Deployment, Lines]:
    deployment = load_deployment(config, environ)
    return deployment, Lines(deployment)


def _likely_number(options: argparse.Namespace) -> str:
    """Return a number to dial at a gateway elsewhere, from the configuration here, if there is one."""
    if options.config == CONFIG and not CONFIG.exists():
        return CALLED
    return number_to_call(_configuration(options.config)[1])


def _running_gateway(options: argparse.Namespace, provider: str) -> CalledGateway:
    """Return a gateway that runs elsewhere: an HTTP URL is called by its webhook, any other by its stream."""
    ended = asyncio.Event()
    ended.set()
    if not options.url.startswith(("http://", "https://")):
        return CalledGateway(stream_url=options.url, ended=ended)
    account = options.provider
    base, webhook, line = options.url.rstrip("/").partition(f"/answer/{account}")
    return CalledGateway(
        account=account,
        answer_url=f"{base}{webhook or f'/answer/{account}'}{line}",
        status_url=f"{base}/status/{account}",
        secrets=_secrets(account, provider, options.test_key or ""),
        with_test_key=bool(options.test_key),
        ended=ended,
    )


def _secrets(account: str, provider: str, test_key: str) -> Mapping[str, str]:
    """Return the secrets that sign requests: those of the environment, else those of the test account."""
    prefix = variable_of(account, "")
    set_here = {
        name.removeprefix(prefix).lower(): value
        for name in os.environ
        if name.startswith(prefix) and (value := value_in(os.environ, name))
    }
    made = open_account(provider, "", test_key).secrets if test_key else {}
    return {**made, **set_here}
