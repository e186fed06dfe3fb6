"""Protocols that more than one provider speaks.

twilio/  Twilio's stream and TwiML, which others took over
plivo/   Plivo's stream and XML, which others took over

May import ``gateway.phone.shared`` and what that may import, and no provider. ``gateway.call`` may not import it.
"""
