"""Explains a call from its record: why it ended, whose its silences were, what went wrong and which setting helps.

explaining     makes the explanation of a call
rules/         looks for findings
kinds          all kinds of findings, with the settings that help
case           all that is known of a call, for the rules
stored         takes from a stored call what explains it
sound          reads a call's recording
events         the events of a call, to be searched
speech         when each side was heard
waits          for whom a call waited
silences       whose a silence was
interruptions  who interrupted the bot
figures        the figures of a call
terminal       the explanation as text for a terminal
page           the page of a real call, with its sound

Works on events alone; nobody but ``sound`` reads a file.
"""
