"""The console: pages for the people who run the lines and own their words, on a listener of its own.

How a page is added: its handler and its ``Route`` stand in a module of ``pages/``; the route states what a visitor
needs (a ``Need``), and ``table`` names it. Nothing else is ever served. Its template extends ``layout.html.j2`` and is
rendered by ``rendering.render(request, "name.html.j2", …)``; it knows ``visitor`` (with ``may(Need.LISTENER)``) and
``csrf``, which each form sends as the field ``csrf`` and each ``fetch`` as the header ``X-CSRF-Token``. What a page may
read is ``state.console_of(request)``: the deployment, the database of the records, and the calls in progress
(``watch``). A page that shows the words of a call, or plays it, notes that first: ``audit(request, "read", call=key)``,
``audit_heard(request, key)`` (``access.audit``). Scripts and styles are files in ``static/``, those of others with
their licence in ``static/vendor/``: the content security policy refuses whatever stands inline, or comes from
elsewhere. A page that needs more sets its own header (``policy.content_security``).

The console runs on an event loop of its own, in a thread, never on that of the calls (``cli.console.beside``).

visitors      visitors of the console, and what they may do
state         what the pages read
access/       who signs in, and what is noted of what they do
route         a route, and what it needs
policy        the headers of every answer
protection    refuses requests that other pages make, and counts refusals
forms         tokens that prove that a form is ours
asked         the calls that the address of a page asks for
wording       words for calls: ends with a colour, lengths, costs
seen_call     the record of a call as its page shows it
line_files    the files of the lines, as they are now
charts        pictures of figures, as a script draws them
rendering     makes pages from templates
events        events that a page follows
static_files  styles and scripts
phone/        the way from a page to the gateway, for the phone in a browser
pages/        the pages
table         all routes
application   the application of all routes, and its listener
templates/    the templates of the pages
static/       styles and scripts, and those of others with their licences

May import what stands below ``gateway.console`` in the layers of pyproject.toml.
"""
