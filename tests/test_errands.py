"""The errands of a conversation, carried out beside its legs."""

import json
from pathlib import Path

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from gateway.call.errands import (
    DialDigits,
    DigitsDialled,
    FunctionReturned,
    KeyedDigits,
    RunFunction,
    TransferCaller,
    TransferEnded,
)
from gateway.call.metrics import Metrics
from gateway.config import Lines, load_deployment
from gateway.config.providers import settings_of
from gateway.config.reading.environment import FromEnvironment
from gateway.errands import CallErrands
from gateway.phone.events import CallStarted
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Grant, Provider, Upgrade
from gateway.phone.requests import HttpRequest
from gateway.rest import CallControl, CallControlError
from gateway.served import make_provider
from gateway.tools import FunctionCall, FunctionResult, Functions
from tests.conformance.wires import start_text
from tests.e2e.rig import configuration
from tests.fakes import FakeSocket
from tests.story import STARTED

LINE = (
    'numbers: ["+14255550100"]\ninstructions: Answer.\nmodel: gpt-4.1\n'
    "tools: [{name: status, description: Looks up., http: {url: https://shop.example.com/}}]\n"
)
TRANSFER = TransferCaller("desk", "+14255550199")


class Control(CallControl):
    """Keeps requests instead of making them; ``failure`` makes each of them fail."""

    def __init__(self, failure: str = "") -> None:
        super().__init__()
        self.made: list[HttpRequest] = []
        self._failure = failure

    async def _perform(self, request: HttpRequest, until: float) -> bytes:
        """Keep the request instead of making it."""
        self.made.append(request)
        if self._failure:
            raise CallControlError(self._failure)
        return b""


class Echo(Functions):
    """A function that answers with what it was given."""

    async def call(self, call: FunctionCall) -> FunctionResult:
        """Return everything that the function was given."""
        about = {"tool": call.function.name, "context": vars(call.context), "secrets": dict(call.secrets)}
        return FunctionResult(json.dumps({**about, "arguments": call.arguments}), "ok")


def leg(provider: Provider, socket: FakeSocket) -> PhoneLeg:
    """A phone of this provider."""
    return PhoneLeg(socket, provider.codec(Upgrade(), Grant()))


def errands(
    folder: Path,
    provider: Provider,
    control: Control,
    phone: PhoneLeg | None = None,
    metrics: Metrics | None = None,
    started: CallStarted | None = None,
) -> CallErrands:
    """Of a call at this provider."""
    (line,) = Lines(load_deployment(configuration(folder, {"support": LINE}), {}))
    phone = phone or leg(provider, FakeSocket())
    return CallErrands(
        line=line,
        started=started or STARTED,
        provider=provider,
        phone=phone,
        functions=Echo(),
        control=control,
        metrics=metrics or Metrics(),
    )


def provider(name: str, **settings: str) -> Provider:
    """With its section of ``gateway.yaml``."""
    values = {key: FromEnvironment(value, "the test") for key, value in settings.items()}
    return make_provider(name, settings_of(name).model_validate(values), "https://voice.example.com")


async def test_a_function_is_told_whose_call_it_is_for(tmp_path: Path) -> None:
    """Arguments, secrets and the call's facts reach it; its answer comes back under the model's id."""
    run = RunFunction("call_7", "status", '{"n":1}', {"card": KeyedDigits("4111")})
    done = await errands(tmp_path, provider("twilio"), Control()).run(run)
    assert isinstance(done, FunctionReturned)
    assert (done.call_id, done.outcome) == ("call_7", "ok")
    assert json.loads(done.output) == {
        "tool": "status",
        "arguments": '{"n":1}',
        "secrets": {"card": "4111"},
        "context": {
            "call_id": STARTED.call_id,
            "line": "support",
            "caller": STARTED.caller,
            "called": STARTED.called,
            "tool_call_id": "call_7",
            "caller_withheld": "",
        },
    }


async def test_a_transfer_by_the_providers_api(tmp_path: Path) -> None:
    """The provider's requests are made."""
    control = Control()
    twilio = provider("twilio", account_sid="AC" + "1" * 32, auth_token="t")
    assert await errands(tmp_path, twilio, control).run(TRANSFER) == TransferEnded()
    assert b"14255550199" in control.made[0].body


async def test_a_transfer_that_the_provider_refuses(tmp_path: Path) -> None:
    """The conversation learns that it failed, and nothing of the provider's own words."""
    twilio = provider("twilio", account_sid="AC" + "1" * 32, auth_token="t")
    metrics = Metrics(["twilio"])
    control = Control("POST https://api answered 500: secret")
    with capture_logs() as logs:
        done = await errands(tmp_path, twilio, control, metrics=metrics).run(TRANSFER)
    assert done == TransferEnded("the phone provider refused")
    assert logs == [
        {
            "event": "call_control_failed",
            "provider": "twilio",
            "detail": "POST https://api answered 500: secret",
            "answer": "",
            "log_level": "error",
        }
    ]
    assert metrics.registry.get_sample_value("gateway_call_control_failures_total", {"provider": "twilio"}) == 1


async def test_a_transfer_whose_request_cannot_be_written(tmp_path: Path) -> None:
    """A call id with bytes that are no text fails the transfer, not the call."""
    twilio = provider("twilio", account_sid="AC" + "1" * 32, auth_token="t")
    started = structs.replace(STARTED, call_id="caf\udce9")
    done = await errands(tmp_path, twilio, Control(), started=started).run(TRANSFER)
    assert done == TransferEnded("the phone provider refused")


async def test_a_transfer_on_the_stream(tmp_path: Path) -> None:
    """A provider whose stream has a transfer message gets that message."""
    socket, control = FakeSocket(start_text("genesys")), Control()
    genesys = provider("genesys", api_key="k", client_secret="c2VjcmV0")
    phone = leg(genesys, socket)
    await phone.start(1)
    assert await errands(tmp_path, genesys, control, phone).run(TRANSFER) == TransferEnded()
    assert control.made == []
    opened, disconnect = map(json.loads, socket.sent)
    assert (opened["type"], disconnect["type"]) == ("opened", "disconnect")
    variables = {"action": "transfer", "target": "+14255550199"}
    assert disconnect["parameters"] == {"reason": "completed", "outputVariables": variables}


async def test_digits_on_the_stream(tmp_path: Path) -> None:
    """All of them in one message, as the wire has it."""
    socket = FakeSocket()
    plivo = provider("plivo")
    done = await errands(tmp_path, plivo, Control(), leg(plivo, socket)).run(DialDigits("call_1", "12"))
    assert done == DigitsDialled("call_1")
    assert socket.sent == ['{"event":"sendDTMF","dtmf":"12"}']


@pytest.mark.parametrize("name", ["exotel", "asterisk", "twilio"])
async def test_what_a_provider_cannot_do_is_told(tmp_path: Path, name: str) -> None:
    """No requests and no word on the wire, or no account to ask with: a failure, not a call that hangs."""
    metrics = Metrics([name])
    with capture_logs() as logs:
        done = await errands(tmp_path, provider(name), Control(), metrics=metrics).run(TRANSFER)
    assert done == TransferEnded("this phone provider cannot transfer a call")
    assert metrics.registry.get_sample_value("gateway_call_control_failures_total", {"provider": name}) == 1
    (entry,) = logs
    assert (entry["event"], entry["provider"], entry["log_level"]) == ("call_control_failed", name, "error")
    assert entry["detail"].endswith(" cannot transfer a call, or its API is not configured")


@pytest.mark.parametrize("name", ["exotel", "vonage"])
async def test_digits_that_a_provider_cannot_dial_are_told(tmp_path: Path, name: str) -> None:
    """The model learns that they were not dialled."""
    with capture_logs() as logs:
        done = await errands(tmp_path, provider(name), Control()).run(DialDigits("call_1", "12"))
    assert done == DigitsDialled("call_1", "this phone provider cannot send digits")
    assert [entry["detail"].endswith(" cannot send digits, or its API is not configured") for entry in logs] == [True]


async def test_a_function_learns_why_there_is_no_caller(tmp_path: Path) -> None:
    """A caller who withholds the number is another matter than one whom the provider did not name."""
    started = structs.replace(STARTED, caller="", withheld="anonymous")
    done = await errands(tmp_path, provider("twilio"), Control(), started=started).run(
        RunFunction("call_7", "status", "{}", {})
    )
    assert isinstance(done, FunctionReturned)
    context = json.loads(done.output)["context"]
    assert (context["caller"], context["caller_withheld"]) == ("", "anonymous")
