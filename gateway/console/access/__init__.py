"""Access to the console: who signs in, how often somebody may try, and what was heard, read, ended and transferred.

sessions  the sessions of those who have signed in
attempts  limits failed attempts to sign in
openid    the sign-in by OpenID Connect
access    signs people in, and knows who makes a request
audit     notes what people do

May import the modules of ``gateway.console`` but ``pages``, ``table`` and ``application``.
"""
