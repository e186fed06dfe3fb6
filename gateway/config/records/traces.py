"""``traces``: what the traces of calls may say of people. Where they go is said by OpenTelemetry's own variables."""

from gateway.config.reading.section import Section, Switch
from gateway.config.records.records import Numbers


class Traces(Section):
    """The content of the traces of calls, which are exported where OTEL_EXPORTER_OTLP_ENDPOINT is set."""

    words: Switch = False
    """``true``: what callers say and key, and what the bot says, is in the spans. Digits keyed in confidence never
    are."""
    numbers: Numbers = "none"
    """Phone numbers in the spans: full, masked, or none."""
