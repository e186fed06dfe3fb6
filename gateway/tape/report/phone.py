"""The provider's side of a tape, compared with what our decoder takes and what the provider's simulator sends."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.config.providers import settings_of
from gateway.errors import WireError
from gateway.phone import providers
from gateway.phone.commands import AskForLife, EndStream, PhoneCommand, SendMark, StopPlayback, StreamCommand
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MalformedMessage,
    MarkReturned,
    OddMessage,
    PhoneClosed,
    PhoneEvent,
    UnknownMessage,
    WireReply,
)
from gateway.phone.provider import Codec, Confirmation, Grant, Provider, Setup, SignatureError, Upgrade
from gateway.tape.form import Line, Tape
from gateway.tape.levels import SESSION_FORMATS
from gateway.tape.report.finding import Finding
from gateway.tape.report.provider_model import Model, shape_of, stream_model
from gateway.tape.wire_text import audio_size, message_of

GAP_S = 0.4
"""A pause of the caller's audio from which on the gateway fills it with silence."""
MARK_LIMIT_S = 2.0
"""The time in which marks that a clear discards are expected back."""
ORDERLY = (1000, 1001, 1005)
"""Close codes of an end in order."""
_PROBE = "g0-0"


class Heard(Struct, frozen=True):
    """A message of the provider and what our decoder makes of it."""

    number: int
    line: Line
    message: str | bytes
    events: Sequence[PhoneEvent | WireReply]
    error: str = ""


def provider_of_tape(tape: Tape) -> Provider:
    """Return the provider of a tape, without an account."""
    name = tape.header.provider
    return providers.make(name, settings_of(name)(), Setup(name, "", lambda: 0.0))


def heard(tape: Tape) -> tuple[list[Heard], Codec]:
    """Return the provider's messages, decoded by our codec, and that codec as they have left it."""
    upgrade = next((line for _, line in tape.of("phone", "in", "upgrade")), None)
    http = (upgrade.http if upgrade else None) or {}
    headers = {str(name): str(value) for name, value in (http.get("headers") or {}).items()}
    url = str(http.get("url", ""))
    query = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&") if "=" in pair)
    provider, opened = provider_of_tape(tape), (Upgrade(url, query, headers), Grant())
    codec = provider.codec(*opened)
    ours: Mapping[str, PhoneCommand | StreamCommand] = {}
    found: list[Heard] = []
    for number, line in tape.of("phone", kind="message"):
        message = message_of(line)
        if message is None:
            continue
        if line.to == "out":
            ours = ours or _commands_by_kind(provider.codec(*opened), found)
            if isinstance(message, str) and (command := ours.get(shape_of(message)[0])):
                codec.encode(command)  # some wires count what is sent
            continue
        try:
            found.append(Heard(number, line, message, tuple(codec.decode(message))))
        except WireError as error:
            found.append(Heard(number, line, message, (), str(error)))
    return found, codec


def _commands_by_kind(codec: Codec, heard: Sequence[Heard]) -> Mapping[str, PhoneCommand | StreamCommand]:
    """Return the commands that have a message of their own on this wire, by its kind.

    ``codec`` is used up: it decodes what was heard so far, and writes every command.
    """
    for one in heard:
        with suppress(WireError):
            codec.decode(one.message)
    found: dict[str, PhoneCommand | StreamCommand] = {}
    for command in (StopPlayback(), EndStream(), AskForLife()):
        for text in codec.encode(command):
            if isinstance(text, str) and (kind := shape_of(text)[0]):
                found.setdefault(kind, command)
    return found


def phone_findings(tape: Tape) -> Iterator[Finding]:
    """Yield what differs on the provider's side."""
    provider = provider_of_tape(tape)
    model = stream_model(tape.header.provider, lambda: provider.codec(Upgrade(), Grant()))
    messages, codec = heard(tape)
    if not messages:
        yield Finding("no_stream", "phone", "no message of a media stream is on the tape")
    yield from _decoded(messages)
    yield from _shapes(messages, model, provider)
    audio_format = next((e.audio_format for one in messages for e in one.events if isinstance(e, CallStarted)), None)
    yield from _sizes(messages, model, audio_format)
    yield from _gaps(messages)
    yield from _marks(tape, messages, codec)
    yield from _end(tape, messages)


def _decoded(messages: Sequence[Heard]) -> Iterator[Finding]:
    for one in messages:
        words = one.message[:300] if isinstance(one.message, str) else ""
        if one.error:
            yield Finding("broken_protocol", "phone", one.error, one.number, one.line.t, verbatim=words)
        for event in one.events:
            match event:
                case UnknownMessage(kind=kind):
                    is_error = "error" in kind.lower()
                    told = "error" if is_error else "unknown_type"
                    yield Finding(told, "phone", f"message {kind}", one.number, one.line.t, verbatim=words)
                case MalformedMessage(detail=detail):
                    yield Finding("broken_protocol", "phone", detail, one.number, one.line.t, verbatim=words)
                case OddMessage(detail=detail):
                    yield Finding("odd_message", "phone", detail, one.number, one.line.t)
    starts = [one for one in messages if any(isinstance(event, CallStarted) for event in one.events)]
    if messages and not starts:
        yield Finding("order", "phone", "no start of the stream", messages[0].number, messages[0].line.t)
    for one in messages:
        if starts and one.line.t < starts[0].line.t and any(isinstance(event, CallerAudio) for event in one.events):
            yield Finding("order", "phone", "audio before the start of the stream", one.number, one.line.t)


def _tokens_in(one: Heard, provider: Provider) -> set[str]:
    """Return the names of the start's parameters that are the token of our answer."""
    if provider.verify_start is None:
        return set()
    names = set()
    for event in one.events:
        if isinstance(event, CallStarted):
            with suppress(SignatureError):
                token = provider.verify_start(event, 0.0).token
                names |= {name for name, value in event.parameters.items() if token and value == token}
    return names


def _shapes(messages: Sequence[Heard], model: Model, provider: Provider) -> Iterator[Finding]:
    seen: dict[str, set[str]] = {}
    for one in messages:
        if not isinstance(one.message, str):
            continue
        kind, paths = shape_of(one.message)
        ours = _tokens_in(one, provider)
        paths = {path for path in paths if path.rpartition(".")[2] not in ours}
        known = model.members.get(kind)
        if known is None:
            continue
        seen.setdefault(kind, set()).update(paths)
        for path in sorted(paths - known):
            yield Finding("unknown_member", "phone", f"{kind}: {path}", one.number, one.line.t)
    for kind, found in seen.items():
        for path in sorted(model.always[kind] - found):
            if path.rpartition(".")[0] in ("", *found):
                yield Finding("absent_member", "phone", f"{kind}: {path}")


def _sizes(messages: Sequence[Heard], model: Model, audio_format: AudioFormat | None) -> Iterator[Finding]:
    if audio_format is None:
        return
    expected = audio_format.bytes_for(model.frame_ms)
    for one in messages:
        size = audio_size(one.line)
        if size and size != expected and any(isinstance(event, CallerAudio) for event in one.events):
            told = f"{size} bytes of audio ({audio_format.duration_ms(size):g} ms), expected {expected}"
            yield Finding("frame_size", "phone", told, one.number, one.line.t)


def _gaps(messages: Sequence[Heard]) -> Iterator[Finding]:
    before: Heard | None = None
    for one in messages:
        if any(isinstance(event, CallerAudio) for event in one.events):
            if before is not None and one.line.t - before.line.t > GAP_S:
                gap_ms = round((one.line.t - before.line.t) * 1000)
                yield Finding("gap", "phone", f"no audio of the caller for {gap_ms} ms", one.number, one.line.t)
            before = one


def _marks(tape: Tape, messages: Sequence[Heard], codec: Codec) -> Iterator[Finding]:
    """Compare when marks come back with what the provider's traits say."""
    confirmation = provider_of_tape(tape).traits.confirmation
    returned = [(e.name, one) for one in messages for e in one.events if isinstance(e, MarkReturned)]
    marks, clears = _ours(tape, codec)
    if not marks or confirmation not in (Confirmation.MARKS, Confirmation.PLAYED_MARKS):
        return
    last = messages[-1].line.t if messages else 0.0
    back: dict[str, float] = {}
    for name, one in returned:
        if name not in marks:
            yield Finding("mark", "phone", "a mark came back that was not sent", one.number, one.line.t)
        elif name in back:
            yield Finding("mark", "phone", "a mark came back twice", one.number, one.line.t)
        back.setdefault(name, one.line.t)
    for number, at in clears:
        open_marks = [name for name, sent in marks.items() if sent < at and back.get(name, last + 1) > at]
        came = [name for name in open_marks if back.get(name, at + 2 * MARK_LIMIT_S) <= at + MARK_LIMIT_S]
        if not open_marks or last < at + MARK_LIMIT_S:
            continue
        told = f"of {len(open_marks)} marks that waited at a clear, {len(came)} came back within {MARK_LIMIT_S:g} s"
        if confirmation is Confirmation.MARKS and len(came) < len(open_marks):
            yield Finding("mark_after_clear", "phone", f"{told}, expected all", number, at)
        elif confirmation is Confirmation.PLAYED_MARKS and came:
            yield Finding("mark_after_clear", "phone", f"{told}, expected none", number, at)


def _ours(tape: Tape, codec: Codec) -> tuple[Mapping[str, float], list[tuple[int, float]]]:
    """Return our marks with the times at which they were sent, and the clears with line and time."""
    marks: dict[str, float] = {}
    clears: list[tuple[int, float]] = []
    probe = next((text for text in codec.encode(SendMark(_PROBE)) if isinstance(text, str) and _PROBE in text), "")
    head, _, tail = probe.partition(_PROBE)
    clear = {text for text in codec.encode(StopPlayback()) if isinstance(text, str)}
    for number, line in tape.of("phone", "out", "message"):
        message = message_of(line)
        if not isinstance(message, str):
            continue
        if probe and message.startswith(head) and message.endswith(tail):
            marks[message[len(head) : len(message) - len(tail)]] = line.t
        elif message in clear:
            clears.append((number, line.t))
    return marks, clears


def _end(tape: Tape, messages: Sequence[Heard]) -> Iterator[Finding]:
    has_stop = any(isinstance(event, PhoneClosed) for one in messages for event in one.events)
    for number, line in tape.of("phone", "in", "closed"):
        facts = line.facts or {}
        code, words = facts.get("code"), str(facts.get("failure") or facts.get("reason") or "")
        if code not in ORDERLY and code is not None and not has_stop:
            yield Finding("closed", "phone", f"the stream was closed with {code}", number, line.t, verbatim=words)
    for number, line in tape.of("phone", "out", "refused"):
        reason = str((line.facts or {}).get("reason", ""))
        yield Finding("refused", "phone", "we refused the stream", number, line.t, verbatim=reason)


def format_named(name: str) -> AudioFormat | None:
    """Return the format that a session's setting names."""
    return SESSION_FORMATS.get(name)
