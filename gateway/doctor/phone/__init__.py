"""Looks at an account from its provider's side: what it is asked for with, where its numbers point, what it sends.

account   the rows of one account
webhook   tells whether a number's webhook is ours
"""
