"""Protocols that more than one provider speaks.

twilio/  Twilio's stream and TwiML, which others took over
plivo/   Plivo's stream and XML, which others took over

A provider may import any of these; ``gateway.call`` may not.
"""
