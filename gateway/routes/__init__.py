"""The HTTP routes of the gateway: webhooks, media streams, health.

listeners         where the gateway listens
webhooks          ``/answer`` and ``/status``: verifies and answers webhooks
media_stream      ``/stream``: turns a media stream into a call
sessions_ahead    opens sessions when webhooks announce their calls
stream_keys       decides who may open a media stream
published_keys    fetches the keys that a provider publishes
kept_keys         keeps them in a file
request_url       the public URL of a request, as signatures cover it
repeats           answers repeated webhooks, refuses replayed ones
parties           who calls whom
line_book         the current lines, in memory
following         decides what follows a call's stream
noting/           writes the notes of calls to the log, and to pages that carry streams
outcomes          remembers how calls ended
refusing/         turns requests away
admitting/        takes calls, or answers those for which there is no room
health            ``/healthz``, ``/readyz`` and ``/metrics``
lag               measures how late the event loop is
worker_processes  collects the metrics of all workers

May import what stands below ``gateway.routes`` in the layers of pyproject.toml. ``following`` is pure.
"""
