"""Bounds of the providers' wires and proofs: what each was chosen to be."""

from gateway.call.call import CLOSE_LIMIT_S
from gateway.phone import early, leg
from gateway.phone.dialects.plivo import signature as nonce_signature
from gateway.phone.dialects.plivo import xml as stream_xml
from gateway.phone.providers.acs import connections as acs
from gateway.phone.providers.asterisk import wire as asterisk_wire
from gateway.phone.providers.exotel import provider as exotel
from gateway.phone.providers.genesys import signature as http_signature
from gateway.phone.providers.genesys import wire as genesys_wire
from gateway.phone.providers.jambonz import provider as jambonz
from gateway.phone.providers.jambonz import wire as jambonz_wire
from gateway.phone.providers.telnyx import chunk_order
from gateway.phone.providers.telnyx import provider as telnyx
from gateway.phone.providers.vobiz import provider as vobiz
from gateway.phone.providers.vonage import ncco
from gateway.phone.providers.vonage import provider as vonage
from gateway.phone.shared import call_id, jwks, signed_text, signed_url
from gateway.phone.shared import jwt as bearer_jwt


def chosen() -> list[tuple[str, tuple[object, object]]]:
    """Return what each bound is now, and what it was chosen to be."""
    return [
        ("a JWT of a webhook may be old, in seconds", (bearer_jwt.FRESH_S, 300)),
        ("an issuer's clock may be off, in seconds", (jwks.CLOCK_SKEW_S, 60)),
        ("a message's signature may be old, in seconds", (http_signature.MAX_AGE_S, 10)),
        ("a signer's clock may be off, in seconds", (http_signature.CLOCK_SKEW_S, 3)),
        ("a nonce has characters", (http_signature.MIN_NONCE, 22)),
        ("a webhook of Telnyx may be old, in seconds", (telnyx.WINDOW_S, 300)),
        ("a webhook of jambonz may be old, in seconds", (jambonz.TOLERANCE_S, 300)),
        ("a token for Vonage's API is good, in seconds", (vonage.TOKEN_LIFE_S, 300)),
        ("signatures of one request are compared", (signed_text.GIVEN_LIMIT, 4)),
        ("texts of one request are tried", (nonce_signature.TEXTS_LIMIT, 4)),
        ("spellings of one address are tried", (signed_url.SPELLINGS_LIMIT, 4)),
        ("a stream of Plivo and its kin may last, in seconds", (stream_xml.STREAM_TIMEOUT_S, 24 * 3600)),
        ("callers of ACS are remembered", (acs.CALLERS_LIMIT, 10_000)),
        ("an id has characters", (call_id.LONGEST, 200)),
        ("headers of an NCCO have, in bytes", (ncco.HEADERS_LIMIT, 512)),
        ("a message to Genesys has, in bytes", (genesys_wire.AUDIO_LIMIT, 64_000)),
        ("a message to Asterisk has, in bytes", (asterisk_wire.MESSAGE_LIMIT, 65_500)),
        ("a command to Asterisk has, in bytes", (asterisk_wire.COMMAND_LIMIT, 128)),
        ("audio is held back for Asterisk, in bytes", (asterisk_wire.HELD_LIMIT, 512 * 1024)),
        ("a message to Vobiz lasts, in milliseconds", (vobiz.MESSAGE_MS, 60)),
        ("a message to Exotel has at least, in bytes", (exotel.SMALLEST, 3200)),
        ("and is a multiple of", (exotel.STEP, 320)),
        ("jambonz gathers first, in milliseconds", (jambonz_wire.FIRST_BUFFER_MS, 160)),
        ("and then, in milliseconds", (jambonz_wire.BUFFER_MS, 80)),
        ("marks wait at jambonz", (jambonz_wire.MARKS_LIMIT, 30)),
        ("chunks wait for a missing one", (chunk_order.WINDOW, 3)),
        ("a count goes on within", (chunk_order.REACH, 50)),
        ("kinds before the start are told apart", (early.KINDS_LIMIT, 10)),
        ("a provider may take to close its stream, in seconds", (leg.PEER_CLOSE_LIMIT_S, 1)),
    ]


def test_a_bound_is_what_it_was_chosen_to_be() -> None:
    """A bound that somebody changes is changed here too, with a reason in the commit."""
    for what, (is_now, was_chosen) in chosen():
        assert is_now == was_chosen, what


def test_a_provider_that_does_not_close_is_closed_before_the_call_gives_up() -> None:
    """Else both legs would be cancelled in the middle of it, and the log would blame the gateway."""
    assert leg.PEER_CLOSE_LIMIT_S < CLOSE_LIMIT_S
