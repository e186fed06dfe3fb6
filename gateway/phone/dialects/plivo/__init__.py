"""The protocol of Plivo and of the providers that took it over.

stream     the media stream: JSON text with checkpoints
xml        the answer in XML and the webhook's form
signature  the signature of webhooks: HMAC-SHA256 with a nonce
webhooks   the webhooks, but for their signature
commands   the REST API's commands to a call

May import ``gateway.phone.shared`` and what that may import, and no provider. ``gateway.call`` may not import it.
"""
