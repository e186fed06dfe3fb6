"""The report of a call, simulated or real: what is told of it, and the page that shows it.

explanation          why a call went as it did
ends                 the ends of calls, in words
turns                the turns of a call, and how soon each side reacted
heard                its sound, and the figures that were measured on it
actions              tools, keys and transfers
transcript           the call as plain text
timeline             a row for each event
shown                all that the page shows
picture              both channels on one time axis, as SVG
scale                the scale of bars that show times
page                 the report as one page
report.html.j2       the template of the page
explanation.html.j2  the part of the page that says why
report.css           the style of the page
report.js            the script of the page

May import ``gateway.audio``, ``gateway.text`` and what stands below those.
"""
