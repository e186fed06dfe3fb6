"""The phone leg: a provider's media stream, and the provider's HTTP around it.

events         the events of the phone leg
commands       the commands to the phone leg
requests       HTTP requests as data, and steps that need the answers to those before
waiting        the wait of a call for which there is no room
webhook        the webhooks of a provider and our answers
pointing       makes a provider call this gateway: by its API, or by hand
provider       the interface of every provider
leg            runs one media stream: events in, commands out
early          counts what comes before the start message
token          the key of a stream, which our answer gives to the provider
whole_samples  keeps 16-bit samples whole
providers/     one package for each provider
dialects/      protocols that several providers speak
shared/        small parts that any provider may use

May import what stands below ``gateway.phone`` in the layers of pyproject.toml; not ``gateway.voice``. Pure: only
``leg`` imports asyncio. ``gateway.call`` sees only ``events`` and ``commands``.
"""
