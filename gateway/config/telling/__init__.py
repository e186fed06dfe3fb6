"""Descriptions of a configuration: words for ``gateway check``, JSON Schema for editors.

describe            what a line does
describe_actions    what a line's bot does besides talk
describe_accounts   which accounts are served
describe_endpoints  which Voice Live endpoints are used
describe_receivers  who gets the events of calls
describe_recording  what is recorded of a line's calls
origins             where each setting comes from
schema              JSON Schema of the configuration files

May import what ``gateway.config`` may import. Pure.
"""
