"""The switches of ``tests.new_provider``: what a vendor does not have, and the edits that take it out of a template."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

Kind = Literal["documents", "commands"]
KINDS: Mapping[str, str] = dict(
    zip(
        get_args(Kind),
        (
            "signed webhooks that are answered by a document with the stream's address; JSON audio with marks",
            "events at one address that are answered by REST commands; binary audio at a fixed address",
        ),
        strict=True,
    )
)


class Edit(Struct, frozen=True):
    """An edit of a file of a template: ``old`` becomes ``new``, wherever it is."""

    file: str
    """How its path ends."""
    old: str
    new: str = ""
    is_pattern: bool = False
    """``True`` if ``old`` is a regular expression and ``new`` its replacement."""
    may_lack: bool = False
    """``True`` if another switch may have taken it away."""

    def applied(self, text: str) -> str:
        """Return the text with the edit; raise ``ValueError`` where the template has changed."""
        if self.is_pattern:
            made, count = re.subn(self.old, self.new, text, flags=re.DOTALL)
        else:
            made, count = text.replace(self.old, self.new), text.count(self.old)
        if not count and not self.may_lack:
            raise ValueError(f"{self.file} of the template has not {self.old!r}: adapt tests/provider_switches.py")
        return made


PROVIDER, SIMULATED, WIRE = "acme/provider.py", "sim/providers/acme.py", "call.jsonl"
OWN, PAGE, ROW, SETTINGS = "test_provider.py", "acme.md", "row.md", "settings.py"


NO_KEYS = (
    Edit(PROVIDER, '    title="Acme",\n', '    title="Acme",\n    keys_in=False,\n'),
    Edit(PROVIDER, "    key: Any = None\n"),
    Edit(PROVIDER, r'            case (_Message\(type=)?"key"\)?:\n[^\n]*\n', is_pattern=True),
    Edit(SIMULATED, r"    def key\(.*?\n\n", is_pattern=True),
    Edit(SIMULATED, "    account=open_account,\n", "    account=open_account,\n    keys=False,\n"),
    Edit(WIRE, r'{"in":"{\\"\w+\\":\\"key[^\n]*\n[^\n]*\n', is_pattern=True),
    Edit(PAGE, "| keys from the caller | yes |", "| keys from the caller | no |"),
    Edit(ROW, "| yes | no | REST", "| no | no | REST"),
)
NO_CLEAR = (
    Edit(WIRE, '"playout":{', '"playout":{"lead_ms":100,"refill_ms":40,', may_lack=True),
    Edit(
        WIRE,
        r'("audio_format":{[^}]*})(?!,"playout")',
        r'\1,"playout":{"lead_ms":100,"refill_ms":40}',
        is_pattern=True,
        may_lack=True,
    ),
    Edit(PROVIDER, '    title="Acme",\n', '    title="Acme",\n    clears=False,\n'),
    Edit(PROVIDER, "playout=Playout(", "playout=Playout(lead_ms=100, refill_ms=40, "),
    Edit(PROVIDER, "Confirmation.MARKS,", "Confirmation.PLAYED_MARKS,", may_lack=True),
    Edit(PROVIDER, r"            case StopPlayback\(\):\n[^\n]*\n", is_pattern=True),
    Edit(PROVIDER, "EndStream() | SendDigits()", "StopPlayback() | EndStream() | SendDigits()"),
    Edit(WIRE, r'{"command":{"StopPlayback[^\n]*\n[^\n]*\n', is_pattern=True),
    Edit(PAGE, "`clear`;", "none: up to 100 ms that were sent are heard;"),
    Edit(ROW, r"(\dk) \| yes \|", r"\1 | no |", is_pattern=True),
    Edit(ROW, "marks, returned on clear too", "marks, only when played", may_lack=True),
)
UNCLEARED = (
    Edit(
        SIMULATED,
        r"        try:\n.*?return \(Clear\(\),\)",
        '        raise WireError(f"a text message: {message[:120]!r}; expected audio")',
        is_pattern=True,
    ),
    Edit(SIMULATED, r"class _Command\(.*?decode\n\n\n", is_pattern=True),
    Edit(SIMULATED, "Parse audio and clear", "Parse audio"),
)
SILENCE = base64.b64encode(bytes(640)).decode()
FRAME = '''
FRAME_BYTES = L16_16K.bytes_for(20)
"""Acme hangs up where audio pauses: it gets one frame for each that comes."""
'''
PACED = """            if not self._started:
                return (CallerAudio(message),)
            return (CallerAudio(message), WireReply((self._next_frame(),)))
"""
NEXT_FRAME = '''    def _next_frame(self) -> bytes:
        """Return 20 ms of our audio that waits, filled up with silence."""
        frame = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[:FRAME_BYTES]
        return frame.ljust(FRAME_BYTES, b"\\0")

'''
UNANSWERED = "    fills_with_silence = True\n    _unanswered = 0\n\n"
DUE = '''    def due(self, now_ms: int, queued_ms: float) -> Sequence[Order]:
        """Close the stream where the gateway's audio has paused for 200 ms."""
        return (Violated("audio paused; expected a frame for each"), Close(1008)) if self._unanswered > 10 else ()
'''
ANSWERED = """            self._unanswered = max(0, self._unanswered - 1)
            return (Media(message),)
"""
ANSWERED_BY_A_STREAM = '''def test_the_answer() -> None:
    """The stream alone: the call ends with it."""
    answer = webhooks.answer(CALL, Connect("wss://gw/stream/t"))
    assert json.loads(answer.body) == [{"stream": "wss://gw/stream/t"}]
    assert json.loads(webhooks.refuse(CALL).body) == [{"reject": "busy"}]


'''
ENDS_PAGE = "| what follows the stream | nothing: the call ends; a line's `after` and `on_failure` have no effect |"
GONE_PAGE = "| when the gateway is gone | the call ends |"
ENDS_WITH_STREAM = (
    Edit(PROVIDER, '    title="Acme",\n', '    title="Acme",\n    says_after=False,\n    transfers_after=False,\n'),
    Edit(PROVIDER, r"        if request\.asks_what_follows:\n[^\n]*\n", is_pattern=True),
    Edit(PROVIDER, "IncomingCall | StreamEnded | Answer:", "IncomingCall | Answer:"),
    Edit(
        PROVIDER,
        "Return the call that is announced, or the stream that has ended.",
        "Return the call that is announced.",
    ),
    Edit(
        PROVIDER, r'"""Return the steps: the stream, [^\n]*\n[^\n]*\n', '"""Return the only step."""\n', is_pattern=True
    ),
    Edit(
        PROVIDER, '"stream": connect.stream_url}, *then, *_steps(connect.on_failure))', '"stream": connect.stream_url})'
    ),
    Edit(PROVIDER, r"def _following\(.*?(?=def _answer)", is_pattern=True),
    Edit(SIMULATED, "first, *rest = _steps", "first, *_ = _steps"),
    Edit(SIMULATED, r"        self\.next_verbs = [^\n]*\n", is_pattern=True),
    Edit(SIMULATED, '"""Carry out what follows the stream, and report the end."""', '"""Report the end."""'),
    Edit(SIMULATED, "        await self.go_on(self.next_verbs, self._fetch)\n"),
    Edit(SIMULATED, r"    async def _fetch\(.*?\n\n", is_pattern=True),
    Edit(SIMULATED, r"def _verb\(.*?(?=def _written)", is_pattern=True),
    Edit(OWN, r"def test_the_answer\(.*?(?=def test_the_rest_api|\Z)", ANSWERED_BY_A_STREAM, is_pattern=True),
    Edit(PAGE, "by closing the stream: Acme goes on with the answer's next step", "by closing the stream"),
    Edit(PAGE, r"\| what follows the stream \|[^\n]*", ENDS_PAGE, is_pattern=True),
    Edit(
        PAGE, r"\| when the gateway is gone \|[^\n]*", "| when the gateway is gone | the call ends |", is_pattern=True
    ),
)
FORM_CHECK = """def _check(request: WebhookRequest) -> None:
    if not request.field("event") or not request.field("call"):
        raise WireError("the webhook names no event and call: expected Acme's, a form by POST")


"""
FORM_BODY = """BODY = b"event=incoming&call=c-1&from=%2B14155550100&to=%2B14155550199"
SIGNATURE = "1800000000.3ba84cd0446b8d29e8ae600d46a655f832be6bd5bf7be047484f0dbcacfd9ec0"
"""
FORM = (
    Edit(PROVIDER, r"def _event\(.*?(?=def make)", FORM_CHECK, is_pattern=True),
    Edit(PROVIDER, "event = _event(request)", "_check(request)"),
    Edit(PROVIDER, "event.text(", "request.field("),
    Edit(
        PROVIDER,
        "Webhooks and their answers, both JSON;",
        "Forms as webhooks, and their answers, JSON;",
    ),
    Edit(SIMULATED, "body = _written(call).encode()", "body = urlencode(call).encode()"),
    Edit(SIMULATED, "application/json", "application/x-www-form-urlencoded"),
    Edit(SIMULATED, "import urljoin", "import urlencode, urljoin"),
    Edit(OWN, r"BODY = b.*?SIGNATURE = [^\n]*\n", FORM_BODY, is_pattern=True),
    Edit(OWN, r"ANNOUNCED = .*?\n\n", "\n", is_pattern=True),
    Edit(
        OWN, '{"acme-signature": signature}, body=body', '{"acme-signature": signature}, parse_qsl(body.decode()), body'
    ),
    Edit(OWN, "body, query=query", "body, query"),
    Edit(
        OWN,
        "from collections.abc import Mapping\n",
        "from collections.abc import Mapping\nfrom urllib.parse import parse_qsl\n",
    ),
)
SWITCHES: Mapping[str, Mapping[str, Sequence[Edit]]] = {
    "documents": {
        "ends-with-stream": ENDS_WITH_STREAM,
        "form": FORM,
        "no-marks": (
            Edit(
                WIRE,
                r'("audio_format":{[^}]*})',
                r'\1,"playout":{"returns_marks":false,"marks_return_at_once":false}',
                is_pattern=True,
            ),
            Edit(PROVIDER, "playout=Playout(", "playout=Playout(returns_marks=False, marks_return_at_once=False, "),
            Edit(PROVIDER, "Confirmation.MARKS,", "Confirmation.CLOCK,"),
            Edit(PROVIDER, "    name: Any = None\n"),
            Edit(PROVIDER, r'            case _Message\(type="played"\):\n[^\n]*\n', is_pattern=True),
            Edit(PROVIDER, r"            case SendMark\(name=name\):\n[^\n]*\n", is_pattern=True),
            Edit(PROVIDER, "EndStream() | SendDigits()", "SendMark() | EndStream() | SendDigits()"),
            Edit(SIMULATED, r"class _Mark\(.*?\n\n\n", is_pattern=True),
            Edit(SIMULATED, " | _Mark"),
            Edit(SIMULATED, r"    def mark_returned\(.*?\n\n", is_pattern=True),
            Edit(SIMULATED, "            case _Mark():\n                return (Mark(read.name),)\n"),
            Edit(SIMULATED, "audio, mark and clear", "audio and clear"),
            Edit(WIRE, r'{"command":{"SendMark[^\n]*\n[^\n]*\n', is_pattern=True),
            Edit(WIRE, r'{"in":"{\\"type\\":\\"played[^\n]*\n[^\n]*\n', is_pattern=True),
            Edit(PAGE, "marks say what was heard", "what was heard is computed from the clock"),
            Edit(ROW, "marks, returned on clear too", "none: computed from the clock"),
        ),
        "no-clear": (
            *NO_CLEAR,
            Edit(SIMULATED, r"class _Clear\(.*?\n\n\n", is_pattern=True),
            Edit(SIMULATED, " | _Clear"),
            Edit(SIMULATED, "            case _Clear():\n                return (Clear(),)\n"),
            Edit(SIMULATED, " and clear.", "."),
        ),
        "no-keys": NO_KEYS,
        "no-rest": (
            Edit("acme/__init__.py", ", the webhooks and the commands", " and the webhooks"),
            Edit(PROVIDER, ", webhooks and REST API. Pure.", " and webhooks. Pure."),
            Edit(SIMULATED, "steps that answer them, the commands.", "steps that answer them."),
            Edit(PROVIDER, r"class AcmeCommands\(.*?\n\n\n", is_pattern=True),
            Edit(PROVIDER, r"        if settings\.api_key:\n[^\n]*\n", is_pattern=True),
            Edit(PROVIDER, 'hang_up="REST, or closing the stream"', 'hang_up="closing the stream"'),
            Edit(PROVIDER, '    transfer="REST",\n'),
            Edit(SETTINGS, '    rest = ("api_key",)\n'),
            Edit(SETTINGS, r"    api_key:.*?\n.*?\n", is_pattern=True),
            Edit(SETTINGS, r"    api_url:.*?\n.*?\n", is_pattern=True),
            Edit(SIMULATED, r"        if self\.has_api:\n[^\n]*\n[^\n]*\n", is_pattern=True),
            Edit(SIMULATED, r"    def _hang_up\(.*?\n\n\n(?=def signature)", "\n", is_pattern=True),
            Edit(SIMULATED, '"api_key", "webhook_secret"', '"webhook_secret"'),
            Edit(SIMULATED, '{**known, "api_url": api_url}', "known"),
            Edit(
                SIMULATED,
                "\n\n    It plays the REST API, which takes the secret ``api_key`` as bearer token.\n    ",
            ),
            Edit(OWN, r"\n\ndef test_the_rest_api\(.*", is_pattern=True),
            Edit(OWN, r"commands = [^\n]*\n", is_pattern=True),
            Edit(PAGE, ", and for hanging up and transfer an API key", ""),
            Edit(PAGE, r"    api_key:[^\n]*\n  # api_url[^\n]*\n", is_pattern=True),
            Edit(PAGE, "| hang-up | REST, or by", "| hang-up | by"),
            Edit(
                PAGE, "| transfer | REST, to a number or a `sip:` address |", "| transfer | when the stream has ended |"
            ),
            Edit(ROW, "REST, or closing the stream | REST", "closing the stream | no"),
        ),
        "binary": (
            Edit(PROVIDER, "PCMU", "L16_16K"),
            Edit(PROVIDER, "    data: bytes | None = None\n"),
            Edit(
                PROVIDER,
                '            raise WireError(f"expected text messages, got {len(message)} bytes of binary")',
                "            return (CallerAudio(message),)",
            ),
            Edit(PROVIDER, r'            case _Message\(type="audio", .*?without its data"\)\n', is_pattern=True),
            Edit(PROVIDER, "mulaw/8000", "linear/16000"),
            Edit(
                PROVIDER,
                r"return \(f'[^\n]*b64encode_as_string\(audio\)[^\n]*",
                "return (audio,) if audio else ()",
                is_pattern=True,
            ),
            Edit(PROVIDER, "StreamCommand) -> Sequence[str]", "StreamCommand) -> Sequence[str | bytes]"),
            Edit(PROVIDER, "for binary, non-JSON and", "for non-JSON and"),
            Edit(PROVIDER, "A message. All but audio is read member", "A text message. It is read member"),
            Edit(SIMULATED, "PCMU", "L16_16K"),
            Edit(SIMULATED, "mulaw/8000", "linear/16000"),
            Edit(SIMULATED, r"class _Audio\(.*?\n\n\n", is_pattern=True),
            Edit(SIMULATED, "_Audio | ", may_lack=True),
            Edit(
                SIMULATED,
                r"timestamp_ms: int\) -> Sequence\[str\]",
                "timestamp_ms: int) -> Sequence[bytes]",
                is_pattern=True,
            ),
            Edit(SIMULATED, r'return \(_written\({"type": "audio"[^\n]*', "return (audio,)", is_pattern=True),
            Edit(
                SIMULATED,
                r'            raise WireError\(f"a binary message[^\n]*',
                "            return (Media(message),)",
                is_pattern=True,
            ),
            Edit(SIMULATED, "            case _Audio():\n                return (Media(read.data),)\n"),
            Edit(WIRE, ',"audio":"data"', ',"linear":{}'),
            Edit(WIRE, '{"encoding":"pcmu","rate_hz":8000}', '{"encoding":"l16","rate_hz":16000}'),
            Edit(WIRE, "mulaw/8000", "linear/16000"),
            Edit(
                WIRE,
                r'{"(in|out)":"{\\"type\\":\\"audio\\",\\"data\\":\\"([^\\]*)\\"}"}',
                r'{"\1":{"binary":"\2"}}',
                is_pattern=True,
            ),
            Edit(PAGE, "µ-law at 8 kHz", "16-bit linear audio at 16 kHz"),
            Edit(PAGE, "µ-law 8 kHz", "16-bit linear, 16 kHz"),
            Edit(ROW, "PCMU 8k", "L16 16k"),
        ),
    },
    "commands": {
        "no-clear": (
            *NO_CLEAR,
            *UNCLEARED,
        ),
        "no-keys": NO_KEYS,
        "paced": (
            Edit(PROVIDER, '    title="Acme",\n', '    title="Acme",\n    sends_on_receipt=True,\n'),
            Edit(PROVIDER, "\n\nclass _Message(", f"{FRAME}\n\nclass _Message("),
            Edit(
                PROVIDER,
                "        self._started = False\n",
                "        self._started = False\n        self._waiting = bytearray()\n",
            ),
            Edit(PROVIDER, "            return (CallerAudio(message),)\n", PACED),
            Edit(PROVIDER, "    def encode(", f"{NEXT_FRAME}    def encode("),
            Edit(PROVIDER, "return (audio,) if audio else ()", "self._waiting += audio\n                return ()"),
            Edit(PROVIDER, """return ('{"command":"clear"}',)""", "self._waiting.clear()\n                return ()"),
            *UNCLEARED,
            Edit(SIMULATED, "    def opening(self)", f"{UNANSWERED}    def opening(self)"),
            Edit(
                SIMULATED,
                "        return (audio,)\n",
                f"        self._unanswered += 1\n        return (audio,)\n\n{DUE}",
            ),
            Edit(SIMULATED, "            return (Media(message),)\n", ANSWERED),
            Edit(SIMULATED, "    Clear,", "    Close,", may_lack=True),
            Edit(SIMULATED, "import Clear, HangUp", "import Close, HangUp", may_lack=True),
            Edit(
                WIRE,
                r'({"in":{"binary":[^\n]*\n{"event":{"CallerAudio[^\n]*\n)({"command":{"PlayAudio[^\n]*\n)({"out":[^\n]*\n)',
                rf'\1{{"out":{{"binary":"{SILENCE}"}}}}\n\2\1\3',
                is_pattern=True,
            ),
            Edit(WIRE, r'{"out":"{\\"command\\":\\"clear[^\n]*\n', is_pattern=True),
            Edit(
                PAGE,
                "`clear`;",
                "the gateway keeps its audio and sends a frame for each that comes, so it discards at once;",
            ),
        ),
    },
}

ONLY_AUDIO = frozenset({"binary", "no-marks", "no-clear"})
"""With all of these the provider takes no text message at all."""
WITHOUT_MESSAGES = (
    Edit(SIMULATED, r"class _Strict\(.*?\n\n\n", is_pattern=True),
    Edit(SIMULATED, r"_MESSAGES = [^\n]*\n\n\n", is_pattern=True),
    Edit(
        SIMULATED,
        r"        try:\n            read: .*?(?=\n\n\nclass AcmeWebhook)",
        '        raise WireError(f"a text message: {message[:120]!r}; expected audio")',
        is_pattern=True,
    ),
)


def switched(path: str, text: str, kind: Kind, off: Sequence[str]) -> str:
    """Return a file of a template with these switches set; raise ``ValueError`` for one that the kind has not."""
    for switch in off:
        if switch not in SWITCHES[kind]:
            raise ValueError(f"--{switch} is no switch of --kind {kind}: it has {', '.join(SWITCHES[kind])}")
    if {"paced", "no-clear"} <= set(off):
        raise ValueError("--paced discards by itself: leave --no-clear out")
    edits = [edit for switch, each in SWITCHES[kind].items() if switch in off for edit in each]
    edits += WITHOUT_MESSAGES if set(off) >= ONLY_AUDIO else ()
    for edit in edits:
        if path.endswith(edit.file):
            text = edit.applied(text)
    return text
