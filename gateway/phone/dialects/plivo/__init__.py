"""The protocol of Plivo and of the providers that took it over.

stream     the media stream: JSON text with checkpoints
xml        the answer in XML and the webhook's form
signature  the signature of webhooks: HMAC-SHA256 with a nonce

Every provider may import it; ``gateway.call`` may not.
"""
