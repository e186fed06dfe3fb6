"""The notes of a call: one class for each kind of thing that happens, in the order of docs/operating.md. Pure.

A note is logged under the name of its class in lower case (``BargeIn`` is ``barge_in``), with its fields as they are
named here. So a class or a field that gets another name is another log event.

note          the base class
sessions      start and end of the call, and its Voice Live sessions
speech        what is said, heard and interrupted
keys          the caller's keys
tools         tools, MCP servers and approvals
recording     the recording of the call
leaving       transfers, and the announcement of the end
bad_messages  messages that are wrong, or report something wrong

May import the end reasons. Everybody else imports the classes from here.
"""

from gateway.call.notes.bad_messages import MalformedMessage, OddMessage, ServiceError, ServiceWarning, UnknownMessage
from gateway.call.notes.keys import (
    DigitIgnored,
    DigitPressed,
    DigitsEntered,
    DigitsSent,
    SecureEntryEnded,
    SecureEntryStarted,
)
from gateway.call.notes.leaving import (
    HangUpCancelled,
    OperatorActed,
    ShutDownAnnounced,
    TransferFailed,
    Transferred,
    TransferStarted,
)
from gateway.call.notes.note import Leg, Note
from gateway.call.notes.recording import (
    RecordingContinued,
    RecordingDeclined,
    RecordingDiscarded,
    RecordingPaused,
    RecordingStarted,
    RecordingStopped,
)
from gateway.call.notes.sessions import (
    AnswerOverdue,
    CallEnded,
    CallStarted,
    CloseTimedOut,
    SessionLost,
    SessionNotRecovered,
    SessionReady,
    SessionRecovered,
    SessionRolledOver,
    StreamPaused,
    TokensUsed,
)
from gateway.call.notes.speech import (
    BargeIn,
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ClosedLine,
    CutReply,
    GreetingPlayed,
    PlaybackStopped,
    ReplyHeard,
    ReplyPlayed,
    ReplySaid,
    ReplyStarted,
    ResponseCutShort,
    ResponseStarted,
    SilencePrompt,
    SpeechIgnored,
    SpeechUnreported,
    TranscriptionFailed,
)
from gateway.call.notes.tools import (
    ApprovalAsked,
    ApprovalGiven,
    ApprovalNotUnderstood,
    McpCalled,
    McpListed,
    McpReturned,
    ToolCalled,
    ToolReturned,
)

__all__ = [
    "AnswerOverdue",
    "ApprovalAsked",
    "ApprovalGiven",
    "ApprovalNotUnderstood",
    "BargeIn",
    "CallEnded",
    "CallStarted",
    "CallerPartlySaid",
    "CallerPaused",
    "CallerSaid",
    "CallerSpoke",
    "CloseTimedOut",
    "ClosedLine",
    "CutReply",
    "DigitIgnored",
    "DigitPressed",
    "DigitsEntered",
    "DigitsSent",
    "GreetingPlayed",
    "HangUpCancelled",
    "Leg",
    "MalformedMessage",
    "McpCalled",
    "McpListed",
    "McpReturned",
    "Note",
    "OddMessage",
    "OperatorActed",
    "PlaybackStopped",
    "RecordingContinued",
    "RecordingDeclined",
    "RecordingDiscarded",
    "RecordingPaused",
    "RecordingStarted",
    "RecordingStopped",
    "ReplyHeard",
    "ReplyPlayed",
    "ReplySaid",
    "ReplyStarted",
    "ResponseCutShort",
    "ResponseStarted",
    "SecureEntryEnded",
    "SecureEntryStarted",
    "ServiceError",
    "ServiceWarning",
    "SessionLost",
    "SessionNotRecovered",
    "SessionReady",
    "SessionRecovered",
    "SessionRolledOver",
    "ShutDownAnnounced",
    "SilencePrompt",
    "SpeechIgnored",
    "SpeechUnreported",
    "StreamPaused",
    "TokensUsed",
    "ToolCalled",
    "ToolReturned",
    "TranscriptionFailed",
    "TransferFailed",
    "TransferStarted",
    "Transferred",
    "UnknownMessage",
]
