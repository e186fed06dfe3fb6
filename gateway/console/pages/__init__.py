"""The pages of the console, each with its routes.

now         calls in progress, and what an operator does with them
calls       the list of calls, and what is looked for
call        a call: its picture, words and figures
recording   its sound, and the shapes of it
lines       the lines: mistakes, changes, versions, calls of today
figures     figures by day and line, as pictures and tables
phone       a phone in the browser
audit       who heard, read and ended what
signing_in  signs people in and out

May import the modules of ``gateway.console`` but ``table`` and ``application``.
"""
