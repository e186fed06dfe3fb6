"""Traces of calls, and metrics, for OpenTelemetry.

environment     reads the variables that say what is exported
attributes      the attributes of spans, and what they may say of people
starting        starts what is asked for, or names the extra that is missing
telemetry       runs the SDK in this process
resource        says who exports
delivery        delivers spans to the collector: bounded, counted
traces          begins the traces of webhooks and calls
call_trace      makes spans of the notes of one call
tries           the tries at a session as spans
responses       the responses of the model as spans, with its tokens
turns           the turns of one call as spans
metrics_export  exports the metrics of the process at an interval
families        turns families of the Prometheus registry into OpenTelemetry's metrics

OpenTelemetry's packages are an extra: only ``starting`` imports the modules that need them, when they are needed.

May import the notes and the record of ``gateway.call``, ``gateway.config``, and what stands below those.
"""
