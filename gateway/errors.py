"""The exceptions of the project. A bug raises something else and is not caught: it ends its call, with a traceback.

All of them, by inheritance; what is not defined here names its module below ``gateway``:

GatewayError               a failure whose message is complete by itself
  WireError                the peer broke its protocol
    MessageError           one message is wrong, and the stream may go on
  InputError               the operator gave something that cannot be used
    RecordingError         a recording cannot be read as audio
    ConfigError            one error of a configuration, with file, line and column
      UnreadError          the system did not give a file, which may pass (config.reading.text_file)
    ConfigErrors           all errors of a configuration (config.reading.problems)
  SignatureError           a request does not prove where it comes from (phone.provider)
    UnsignedError          a stream has no signature where its provider signs each (phone.provider)
    UnknownKeyError        a token names a key that we do not have (phone.shared.jwks)
  CallControlError         the provider did not do what was asked of it (rest)
  VoiceConnectionError     no connection to Voice Live (voice.service)
    VoiceRefusedError      Voice Live refused the connection (voice.service)
    VoiceUnreachableError  Voice Live did not answer (voice.service)
  DatabaseError            a database cannot keep records as it is (records.store.failures)
  StoreError               a store of recordings did not do what was asked of it
  RenderingError           a text was not spoken ahead of its need (phrases)
  RefusedError             the gateway refused a simulated call (sim.phone.connecting)
  UnreachableError         nobody answers a simulated call's request (sim.phone.connecting)
  BusyError                the gateway rejected a simulated call as busy (sim.phone.connecting)
  TurnedAwayError          the gateway answered a simulated call without a stream (sim.phone.turned_away)
RowsAwayError              the row of a recording cannot be written now (records.storing.taking)
_SourceGoneError           the file of a recording is not there (records.storing.directory)
OutboxFullError            a peer does not read, and what waits for it passed the limit
ToolError                  an operator's function tells the model what is wrong (function)
FunctionFailed             a function failed: what the model and the log are told (tools.result)
UnreadableError            a file of the configuration cannot be read (config.reading.text_file)
_TooMuchError              a YAML file is nested too deeply or expands to too much (config.reading.document)
ApiRefusal                 a simulated REST API refuses a request (sim.phone.rest_api)
_FailedError               no session came about with one model (voice.opening)
_CaughtError               a simulated webhook was caught, not sent (tape.report.provider_model)
RefusedSignInError         somebody is not let in to the console (console.access.openid)
Rejected                   the emulator answers a client event with an error (sim.emulator.record)
ValueError                 of Python
  InterpolationError       a ``${NAME}`` cannot be replaced (config.reading.environment)
  ScalarError              a YAML value is not what its tag says (config.reading.scalars)
  PythonToolError          a function in Python cannot be a tool (config.python_tools)
"""

from pathlib import Path


class GatewayError(Exception):
    """A failure whose message is complete by itself: it is shown as it stands, never as a traceback."""


class WireError(GatewayError):
    """The peer broke its protocol: the message says which rule and what stood there instead."""


class MessageError(WireError):
    """One message is wrong, and the stream may go on without it; before the start as well."""


class StoreError(GatewayError):
    """A store of recordings did not do what was asked of it: the message says which, and what it said."""


class OutboxFullError(Exception):
    """A peer has not read for so long that the bytes waiting for it passed the limit."""


class InputError(GatewayError):
    """The operator gave something that cannot be used: the message says what, where and what was expected."""


class RecordingError(InputError):
    """A recording that cannot be read as audio."""


class ConfigError(InputError):
    """A configuration that cannot be used.

    ``file``, ``line`` and ``column`` (both from 1) point at the key; a ConfigError about the environment or a whole
    file has line and column 0. ``key`` is the dotted path of the key, empty where there is none.
    """

    def __init__(self, message: str, *, file: Path | str = "", line: int = 0, column: int = 0, key: str = "") -> None:
        self.message = message
        self.file = str(file)
        self.line = line
        self.column = column
        self.key = key
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{self.message}"
