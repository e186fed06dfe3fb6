"""The Voice Live endpoints of a deployment: which of them opens the next session.

endpoint  an endpoint's place in the order, its models and its quota
circuit   an endpoint that fails is left alone for a while, then tried once
pool      the choice among endpoints, with their quotas and circuits
watch     the counts of what endpoints do
lease     one endpoint for the attempt at one session
pooled    the pool with its connections, as the voice leg uses it
tries     passes each try at a session to the call's trace
making    makes the pool of a deployment
metrics   the metrics and the log events of endpoints

Pure: time is an argument. May import what stands below ``gateway.voice`` in the layers of
pyproject.toml, and of ``gateway.voice`` its service and what that uses.
"""
