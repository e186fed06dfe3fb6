"""The program under test as a process of its own: started, pinned to a core, measured from outside, ended."""

import contextlib
import enum
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import COMPILED_LOAD
from bench.tool_server import TOOLS
from bench.websocket import BusyError, LateError, PeerError

OTHERS = {"plain": "bench.plain_bridge", "relay": "bench.relay"}
"""The modules of what the gateway is measured beside, by their names."""
NAMES = ("gateway", *OTHERS)
ROOT = Path(__file__).parent.parent
START_S, STOP_S, LOOKS_EVERY_S = 60.0, 15.0, 0.01
OUTPUT_CHARS = 2000
COUNTED_START_S = 300.0
COUNTED = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes")
MOST_WAITING = 0.2
"""The share of its time for which a program may wait for a core; beyond it, what is late is the machine's doing."""
_WHOLE_PROCESS = 2
"""Linux makes a clock's number of a process's number: ``MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)``."""
PORTS, TRIES = range(20_000, 32_000), 20
"""Below Linux' ``ip_local_port_range``: a program that starts slowly would find another one on its port."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

GATEWAY_YAML = """\
public_url: https://bench.example.com
listen: {{host: 127.0.0.1, port: {port}}}
voice_live: {{endpoint: "${{AZURE_VOICELIVE_ENDPOINT}}", model: gpt-4.1}}
providers: {{twilio: {{}}}}
streams: {{auth: "off"}}
limits: {{calls: {most_calls}}}
lines: lines/*.yaml
"""
LINE_YAML = """\
numbers: ["*"]
instructions: You take bookings for a restaurant.
greeting: Good evening, how can I help?
voice: en-US-AvaMultilingualNeural
language: en-US
"""
TOOL_YAML = """\
  - name: {name}
    description: Looks up a number in the {name} list.
    parameters: {{number: string}}
    http: {{method: POST, url: "http://127.0.0.1:{port}/{name}", timeout_s: 10}}
"""


class Kept(enum.StrEnum):
    """The things that the gateway keeps of its calls."""

    NOTHING = "nothing"
    RECORDS = "records"
    RECORDING = "recording"
    """Records and recordings."""

    def where_known(self, tree: Path | None) -> "Kept | None":
        """Return what to ask of a revision for this: ``None`` where it keeps no records, and has no key for them."""
        return self if tree is None or (tree / "gateway" / "config" / "records").is_dir() else None

    @property
    def gateway_yaml(self) -> str:
        """The keys of ``gateway.yaml`` for it."""
        return f"records: {str(self is not Kept.NOTHING).lower()}\n"

    @property
    def line_yaml(self) -> str:
        """The keys of the line for it."""
        return f"recording: {str(self is Kept.RECORDING).lower()}\n"


@dataclass(frozen=True)
class Program:
    """A program to run, and its options."""

    name: str = "gateway"
    tree: Path | None = None
    """Another revision of the gateway, which is run in place of this one."""
    kept: Kept | None = None
    """The choice of what the gateway keeps of its calls; left out, its defaults apply."""
    most_calls: int | str = 10_000
    """The gateway's limit of calls."""
    gather_ms: float | None = None
    """The gateway's ``gather_ms``; left out, its default applies."""
    tools_port: int | None = None
    """The port of the server behind the line's tools; without it, the line has none."""
    profile: Path | None = None
    """The file for a profile."""
    count: Path | None = None
    """The file in which callgrind leaves the number of instructions."""


@dataclass(frozen=True)
class Target:
    """A running process and its children."""

    name: str
    port: int
    pid: int
    is_profiled: bool
    is_counted: bool = False
    started_in_s: float = 0.0
    """The time from the start of the process until it listened."""

    def tell(self, *, begins: bool) -> None:
        """Let a target that is profiled, or whose instructions are counted, know that its time begins, or ends."""
        if self.is_profiled:
            os.kill(self.pid, signal.SIGUSR1 if begins else signal.SIGUSR2)
        if self.is_counted:
            switch = ["callgrind_control", "-i", "on" if begins else "off", str(self.pid)]
            subprocess.run(switch, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- valgrind's own

    def cpu_s(self) -> float:
        """Return the processor time used so far, in the kernel and out of it, by threads and ended children too."""
        return sum(_cpu_s(pid) for pid in self._family())

    def memory_bytes(self) -> int:
        """Return the resident memory in bytes."""
        return sum(_status_kb(pid, "VmRSS:") * 1024 for pid in self._family())

    def _family(self) -> list[int]:
        pids = [self.pid]
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, task.read_text().split())
        return pids


def _cpu_s(pid: int) -> float:
    """Return the time of a process with all its threads, to the nanosecond, and of children it has waited for."""
    own_s = time.clock_gettime(~pid << 3 | _WHOLE_PROCESS)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own_s + (int(fields[13]) + int(fields[14])) / CLOCK_TICKS


def _status_kb(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def core_busy_s(core: int) -> float:
    """Return how long one core has worked so far, for any process, stolen time included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) / CLOCK_TICKS
    return 0.0


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1, as ``free_ports`` does."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different free TCP ports of 127.0.0.1, none of those that the kernel gives away by itself meanwhile."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(PORTS, count + TRIES):
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
            if len(found) == count:
                return found
    raise PeerError(f"no {count} free ports from {PORTS.start} to {PORTS.stop - 1}")


@contextmanager
def running(program: Program, url: str, authority: bytes, core: int | None) -> Iterator[Target]:
    """Run a program during the block, on one core if that is given.

    ``url`` is the service's, ``authority`` the PEM that the program is to trust. Raise PeerError with its last output
    if it does not listen in time, and add that output to a PeerError that the block raises; BusyError in place of one
    for a wait that took too long on a machine that others keep busy.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        log = folder / "log"
        profiled = ["bench.profiling", str(program.profile)] if program.profile else []
        counted = [*COUNTED, f"--callgrind-out-file={program.count}"] if program.count else []
        command = [*counted, sys.executable, "-m", *profiled, *_arguments(program, port, folder)]
        began = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 -- our own programs
                command,
                env=_environment(url, authority, folder),
                cwd=program.tree,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            _await_listening(process, port, COUNTED_START_S if program.count else START_S)
            yield Target(
                program.name,
                port,
                process.pid,
                is_profiled=program.profile is not None,
                is_counted=program.count is not None,
                started_in_s=time.monotonic() - began,
            )
        except (PeerError, TimeoutError) as error:
            waited = _waited_s(process.pid) / (time.monotonic() - began)
            raise explained(error, waited, _end_of(log)) from None
        finally:
            _stop(process)


def explained(error: PeerError | TimeoutError, waited: float, output: str) -> PeerError:
    """Return an error with the program's last output, and its cause where that is the machine.

    ``waited`` is the share of the time for which the program waited for a core.
    """
    text = f"{error}\nThe program's last output:\n{output}"
    if not isinstance(error, LateError | TimeoutError):
        return PeerError(text)
    if waited <= MOST_WAITING:
        return LateError(text)
    return BusyError(f"the machine is too busy: the program waited for a core for {waited:.0%} of the time: {text}")


def _waited_s(pid: int) -> float:
    """Return how long the first thread of a process has waited for a core; 0 where Linux does not count that."""
    try:
        _ran, waited, _turns = Path(f"/proc/{pid}/schedstat").read_text().split()
    except OSError:
        return 0.0
    return int(waited) / 1e9


def _environment(url: str, authority: bytes, folder: Path) -> dict[str, str]:
    """Return the variables by which each program finds the service, and trusts it as any OpenSSL client does."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "AZURE_VOICELIVE_ENDPOINT": url,
        "AZURE_VOICELIVE_API_KEY": "bench",
        "TWILIO_AUTH_TOKEN": "token-of-the-bench",
    }
    for other in ("AZURE_COGNITIVE_SERVICES_ENDPOINT", "AZURE_COGNITIVE_SERVICES_KEY", COMPILED_LOAD):
        environment.pop(other, None)
    if authority:
        trusted = folder / "authority.pem"
        trusted.write_bytes(authority)
        environment["SSL_CERT_FILE"] = str(trusted)
    return environment


def line_yaml(tools_port: int | None) -> str:
    """Write the YAML of the target's line."""
    if tools_port is None:
        return LINE_YAML
    tools = "".join(TOOL_YAML.format(name=name, port=tools_port) for name in TOOLS)
    return f"{LINE_YAML}parallel_tool_calls: true\ntools:\n{tools}"


def _arguments(program: Program, port: int, folder: Path) -> list[str]:
    if program.name != "gateway":
        return [OTHERS[program.name], str(port)]
    (folder / "lines").mkdir()
    keeps, records = (program.kept.gateway_yaml, program.kept.line_yaml) if program.kept else ("", "")
    (folder / "lines" / "bench.yaml").write_text(line_yaml(program.tools_port) + records)
    gateway = (program.tree or ROOT) / "gateway"
    # Older revisions have no console, whose port is always the same, and no doctor, whose session counts as a call's.
    console = "console: false\n" if (gateway / "config" / "console").is_dir() else ""
    gather = "" if program.gather_ms is None else f"gather_ms: {program.gather_ms}\n"
    settings = GATEWAY_YAML.format(port=port, most_calls=program.most_calls) + keeps + console + gather
    (folder / "gateway.yaml").write_text(settings)
    options = ["--no-doctor"] if (gateway / "doctor").is_dir() else []
    return ["gateway", "serve", "--config", str(folder / "gateway.yaml"), "--port", str(port), *options]


def _await_listening(process: "subprocess.Popen[bytes]", port: int, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() >= deadline:
            raise LateError(f"the program under test did not listen within {limit_s:.0f} s")
        time.sleep(LOOKS_EVERY_S)
    raise PeerError("the program under test has ended")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-OUTPUT_CHARS:]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
