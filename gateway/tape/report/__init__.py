"""The report on a tape: facts, and differences from what our decoders, the SDK and the simulators assume.

reporting       the whole report, for people and for scripts
finding         facts and differences
phone           the provider's side
service         Voice Live's side
http            webhooks and requests
provider_model  what a provider sends, as its simulator writes it
service_model   what the service sends, as the SDK's models and the emulator have it

What is assumed is derived from those, and not listed again. Only ``gateway tape report`` imports this package.
"""
