"""The identity that the emulator is shown."""

from azure.core.credentials_async import AsyncTokenCredential

from gateway.cli.emulated_identity import NEVER, EmulatedIdentity


async def test_it_is_what_the_sdk_takes_for_an_identity() -> None:
    """The SDK asks it as it asks Microsoft Entra ID; the token is the same for everybody and does not expire."""
    async with EmulatedIdentity() as identity:
        assert isinstance(identity, AsyncTokenCredential)
        token = await identity.get_token("https://ai.azure.com/.default")
    assert (token.token, token.expires_on) == ("emulator", NEVER)
