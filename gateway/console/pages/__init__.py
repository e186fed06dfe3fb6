"""The pages of the console, each with its routes.

now    calls in progress
phone  a phone in the browser

May import the modules of ``gateway.console`` but ``table`` and ``application``.
"""
