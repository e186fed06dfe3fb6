"""A telephony voice bot gateway: a phone provider's media stream on one side, Azure Voice Live on the other.

line            one phone line: its numbers, instructions, voice, tools, limits; one YAML file
leg             one side of a call: the *phone leg* (the media stream) or the *voice leg* (the Voice Live session)
event           what a leg tells us, in the past tense (``CallerSpoke``, ``DigitPressed``, ``ReplyAudio``)
command         what we ask of a leg, in the imperative (``PlayAudio``, ``StopPlayback``, ``CancelResponse``)
provider        the phone company at the other end of the media stream, and its wire format
reply           one spoken item of the bot (a Voice Live ``item_id``); it belongs to a *response*
mark            a bookmark in sent audio that the provider returns once the caller has heard up to it
heard           milliseconds of a reply that reached the caller's ear, never what was merely sent
barge-in        the caller starts to speak over a reply
end reason      why a call ended and who ended it, decided where it happened
"""
