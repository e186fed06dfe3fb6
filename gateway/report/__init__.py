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
sound                the sound as a part of the page
view                 the values of the templates
page                 the report as one page
parts/               the templates of the pieces that the page shares with the console
report.html.j2       the template of the page
tokens.css           the colours and basic pieces that the page shares with the console
call.css             the style of the pieces of one call
report.css           the style of the page
call.js              the player, which follows the call in the picture and the words

May import ``gateway.audio``, ``gateway.text`` and what stands below those.
"""
