class Acme(ProviderSettings):
    """Acme."""

    proofs = ("webhook_secret",)
    rest = ("api_key", "stream_config")
    api_key: Secret | None = None
    """The key of the REST API."""
    stream_config: Name | None = None
    """The id of the stream configuration, which has the address of our streams."""
    webhook_secret: Rotated[Secret] | None = None
    """The secret in the address of the webhook."""
    api_url: Address = "https://api.acme.example"
    """The base of the REST API."""
