class Acme(ProviderSettings):
    """Acme."""

    proofs = ("webhook_secret",)
    rest = ("api_key",)
    api_key: Secret | None = None
    """The key of the REST API."""
    webhook_secret: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    api_url: Address = "https://api.acme.example"
    """The REST API."""
