"""The pages of the console, each with its routes.

now       calls in progress, and what an operator does with them
overview  capacity, endpoints and providers of all processes
phone     a phone in the browser

May import the modules of ``gateway.console`` but ``table`` and ``application``.
"""
