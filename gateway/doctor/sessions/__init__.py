"""Opens the sessions that calls would open, with the production leg, and tells how far they come.

credential  the credential for Voice Live
claims      the claims of a Microsoft Entra token
bots        the distinct sessions of all lines
tap         notes what a session's socket sends and receives
talk        opens a session as a call does
opened      the rows of a session: handshake, members, settings, echo
bisection   finds a refused member that the service does not name
created     names what a ``session.created`` has that is new
trying      tries a bot with all of these
speaking    lets a bot speak, and cancels and truncates what it says
hearing     plays a recording to a bot
refusals    the remedies for what Voice Live refuses
"""
