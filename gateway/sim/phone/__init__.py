"""A simulated phone: the provider's end of a media stream, and its HTTP.

wire          what every provider's end is to the phone: a pure object
phone         runs the stream, frame by frame in real time
playout       the buffer of audio until the caller hears it
observed      what the phone observed, each with its time
webhook       asks the gateway for an answer and obeys it
continuation  what becomes of a call after its stream
turned_away   what a call meets that the gateway does not take
rest_api      a provider's REST API
accounts      an account at a provider, and what makes its values
connection    the connection of a phone, which may be reset or abandoned
connecting    errors of connecting, in one line

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
