"""The protocol of Twilio and of the providers that took it over.

stream     the media stream: JSON text with base64 audio
messages   its messages, as far as they are read
twiml      the answer in XML, the webhook's form
signature  the signature of webhooks: HMAC-SHA1
commands   the REST resource of a call
pointing   the webhook of a number

May import ``gateway.phone.shared`` and what that may import, and no provider. ``gateway.call`` may not import it.
"""
