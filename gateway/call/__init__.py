"""One call: two legs, and a pure conversation between them that decides everything.

messages      the events of a conversation, and its commands by who carries them out
state         the states of a call, and the events that may come in each
settings      a line's settings as the conversation follows them, and limits of its own
conversation  the rules: events and the time in, commands out
reactions     what each event leads to
parts         the parts of a call, and what they ask for
deadlines     when a call has something due
speaking/     what the bot says: asked for, played, and heard
barge_in/     whether speech of the caller interrupts the bot
caller_audio  decides which of the caller's audio reaches the service
caller_clock  keeps the caller's audio on the call's clock
transcripts   what the caller said, in writing
tools/        what the model calls, and the caller's part in it
keypad        what the caller's keys mean
silence       the time for which nobody speaks, and its limit
history/      what was said and done, for a session that takes the call over
leaving       hang-up and transfer, after the last words were heard
recovery/     a session that takes a call over
ending        the end reasons
liveness      whether the provider is still there
bad_messages  notes messages that nobody understands, and counts those that break the protocol
errands       what is carried out beside the legs, and its result
notes/        what happened in a call, a class for each kind
record        the notes of a call, each with its time
call          the runner: runs the legs, and the timer
calls         all calls of the process: admits them, and ends them
refusal       why a request was turned away before it became a call
metrics       the Prometheus metrics

May import the events and commands of ``gateway.phone`` and ``gateway.voice``, and what stands below those two; no leg,
provider, wire or session, and not ``gateway.sim``. Pure: only ``call`` and ``calls`` import asyncio or time.
"""
