"""A telephony voice bot gateway: a phone provider's media stream on one side, Azure Voice Live on the other.

Words, the same in code, configuration, logs and metrics:
line            one phone line: its numbers, instructions, voice, tools, limits; one YAML file
leg             one side of a call: the *phone leg* (the media stream) or the *voice leg* (the Voice Live session)
event           what a leg tells us, in the past tense: ``CallerSpoke``, ``DigitPressed``, ``ReplyAudio``
command         what we ask of a leg, in the imperative: ``PlayAudio``, ``StopPlayback``, ``CancelResponse``
provider        the phone company at the other end of the media stream, and its wire format
reply           one spoken item of the bot (a Voice Live ``item_id``); it belongs to a *response*
function        something that the model may call and that an HTTP request or the operator's Python code carries out
errand          what the conversation has done beside its legs: a function, a transfer, digits to dial
mark            a bookmark in sent audio that the provider returns once the caller has heard up to it
heard           milliseconds of a reply that reached the caller's ear, never what was merely sent
barge-in        the caller starts to speak over a reply
end reason      why a call ended and who ended it, decided where it happened

Modules and packages, in the order in which to read them:
call/           one call: the conversation, which decides, and the runner, which has the clock
phone/          the phone leg: its events and commands, and each provider's wire and webhook
voice/          the voice leg: its events and commands, and the Voice Live session
config/         YAML and environment to typed settings
routes/         the HTTP routes: webhooks, media streams, health
app             serves: runs the parts of a gateway, listens, and ends its calls
wiring          connects configuration, legs, conversation and routes
routing         the paths of the public and of the private listener
call_setup      makes the settings and the voice leg of one call
phrases         renders words for callers whose session is lost, ahead of their need
errands         carries out what a conversation asks beside its legs
doctor/         tries what a call needs before the first one comes
records/        what remains of a call: records, recordings, deliveries, explanations, cost
tracing/        traces of calls, for OpenTelemetry
live/           calls in progress, for who looks on
console/        pages for those who run the lines
report/         what is told of a call, simulated or real
tape/           tapes of calls: recorded, redacted, checked, reported
tools/          carries out functions: HTTP requests and Python code
served          makes the providers of accounts
function        the types of a function
rest            makes the requests to providers' REST APIs
fleet/          what the worker processes share
cli/            the ``gateway`` command
__main__        the start of the ``gateway`` command
sim/            the outside world: simulated phones, a Voice Live emulator, reports of calls
starter/        the files that ``gateway init`` writes
connecting/     connects to Voice Live, by the SDK's private names or by its public ones
sockets/        the WebSockets under both legs, and the upgrade to them
network/        the parts of a socket that aiohttp lacks: frames, names of hosts, file descriptors
logs/           the log: its lines, its writer, the removal of secrets
audio/          audio formats, conversion and files
addresses       reads phone numbers and SIP addresses in all spellings
withheld        recognises callers who withhold their number
patterns        regular expressions in linear time
text            text that JSON and XML can carry
path_segment    a text as one segment of a URL's path
errors          all exceptions, as a tree

The contracts in pyproject.toml say who may import whom; docs/architecture.md explains them.
"""
