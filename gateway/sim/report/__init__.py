"""The folder of a simulated call, with a page, a picture and texts.

folder          writes the folder of a call
outcome         how the call ended, in one sentence
dialogue        the call as a dialogue
actions         tools, keys and transfers of the call
transcript      the call as plain text
picture         both channels on one time axis, as SVG
scale           the scale of bars that show times
page            the report as one page
report.html.j2  the template of the page
report.css      the style of the page
report.js       the script of the page

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
