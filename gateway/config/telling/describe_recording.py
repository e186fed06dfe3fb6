"""Describes in words what is recorded of a line's calls, for ``gateway check``."""

from collections.abc import Iterator

from gateway.config.line.line import Line


def recording_words(line: Line) -> str:
    """Return what is recorded, what callers are told and asked before, and for how long it is kept."""
    rule = line.settings.recording
    if rule is None:
        return ""
    announce, consent = rule.announce, rule.consent
    told = "callers are not told"
    if announce is not None:
        told = f"after {announce.say!r}" if announce.say else f"after {announce.play} was played"
    asked = f"asks {consent.ask!r}, yes by key {consent.key} within {consent.wait_s:g} s" if consent else ""
    secrets = "silence while secrets are keyed in" if rule.pause_while_secret else "secrets are on it"
    days = rule.keep_days
    kept = "" if days is None else "kept forever" if days == "forever" else f"kept for {days} days"
    return ", ".join(filter(None, (rule.channels, told, asked, secrets, kept)))


def recording_warnings(line: Line) -> Iterator[str]:
    """Yield a warning for each setting of the recording that is allowed but may not be intended."""
    rule = line.settings.recording
    if rule is None:
        return
    announce, consent = rule.announce, rule.consent
    if announce is None and consent is None:
        yield "recording: callers are not told of it, expected announce or consent where the law wants it"
    said = [("announce", announce.say if announce else None), ("consent.ask", consent.ask if consent else None)]
    for key, text in said:
        if text and not line.synthesizes:
            yield f"recording.{key}: {line.settings.voice.name} speaks for the model, which may change a word"
    if announce and announce.play and not announce.text:
        yield "recording.announce: no text beside play, so the model does not know what was said"
    if not rule.pause_while_secret and any(function.secrets for function in line.functions):
        yield "recording.pause_while_secret: the tones of secret digits are on the recording"
