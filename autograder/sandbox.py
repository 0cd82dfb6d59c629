"""Trusted side of the wall: requests in, outputs and answers out, with the clock on this side.

`Sandbox` holds one zygote; `Child` is one confined process, driven request by request. What a child
sends is never more than data, and a child that sends anything else is lost.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from autograder import channel
from autograder.channel import BrokenChannel
from autograder.confine import Limits
from autograder.judge import LOST, TIMED_OUT
from autograder.probe import read_answer

START_SECONDS = 300  # importing TensorFlow on a loaded, cold machine
PASSED_ON = ("LANG", "LC_ALL", "TZ", "MLSP_TF_DATA", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH")
FIXED = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    "NBGRADER_EXECUTION": "autograde",
    "PIP_RETRIES": "0",  # `!pip install` has no network to wait for
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


class SandboxError(Exception):
    """The sandbox itself could not be had; the text says why."""


class ChildLost(Exception):
    """The child is gone; `kind` is TIMED_OUT where the clock ended it, else LOST."""

    def __init__(self, sentence, kind=LOST):
        super().__init__(sentence)
        self.kind = kind


class Sandbox:
    """One zygote. Use as a context manager.

    confined: False runs code without any wall, for the course's own notebooks and for `--trust`
    """

    def __init__(self, confined=True):
        self.confined = confined
        self.held = []
        self._spare = None
        self._home = tempfile.mkdtemp(prefix="autograder-")
        self._control, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= FIXED | {"HOME": self._home, "MPLCONFIGDIR": self._home, "IPYTHONDIR": self._home}
        self._log = open(os.path.join(self._home, "zygote.log"), "wb")  # noqa: SIM115  (closed in `close`)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograder.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment | {"PYTHONPATH": _import_path(environment)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        theirs.close()
        self._ready = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the zygote and whatever it still has."""
        if self._ready:
            with contextlib.suppress(SandboxError, OSError):
                self._drop_spare()
        else:
            self._process.kill()  # it is still importing
        self._control.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def wait_ready(self):
        """Return when the zygote has imported everything."""
        if not self._ready:
            self._ask(None)
            self._ready = True

    def warm(self, modules):
        """Let the zygote import what the course's own notebook turned out to import."""
        self.wait_ready()
        self._drop_spare()
        self._ask({"warm": modules})

    def child(self, limits=None, files=None):
        """A fresh child; `files` is a folder whose content is copied into its scratch folder.

        The next one is forked at once, beside this one's work, so that it is there when it is asked for.
        """
        self.wait_ready()
        limits = limits or Limits()
        if self._spare is None or self._spare.limits != limits:
            self._drop_spare()
            self._fork(limits)
        self._settle()
        taken, self._spare = self._spare, None
        self._fork(limits)
        return Child(self, taken, files)

    def _fork(self, limits):
        """Have the spare forked; `_settle` waits for it."""
        ours, theirs = socket.socketpair()
        self._spare = _Process(limits, ours, tempfile.mkdtemp(prefix="autograder-scratch-"))
        options = {"limits": limits.to_dict(), "scratch": self._spare.scratch, "confined": self.confined}
        with theirs:
            socket.send_fds(self._control, [channel.encode({"fork": options})], [theirs.fileno()])

    def _settle(self):
        """The zygote answers in order: what it says of the spare comes before anything else."""
        if self._spare is None or self._spare.pid is not None:
            return
        answer = self._receive()
        self._spare.pid, self.held = answer["pid"], answer["held"]
        if not self._spare.pid:
            raise SandboxError(f"a child could not be started: {self._tail()}")

    def _drop_spare(self):
        if self._spare is not None:
            self._settle()
            spare, self._spare = self._spare, None
            self.end(spare)

    def end(self, process):
        """Kill a child and all its descendants, and remove its scratch folder."""
        process.socket.close()
        try:
            self._ask({"end": process.pid})
        finally:
            shutil.rmtree(process.scratch, ignore_errors=True)

    def _ask(self, request):
        self._settle()
        if request is not None:
            channel.send(self._control, request)
        return self._receive()

    def _receive(self):
        try:
            return channel.receive(_reader(self._control, time.monotonic() + START_SECONDS))
        except (_Late, EOFError, BrokenChannel, OSError) as error:
            raise SandboxError(
                f"the process that children are forked from has ended: {self._tail()}"
            ) from error

    def _tail(self):
        self._log.flush()
        lines = Path(self._log.name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it left no message"


def _import_path(environment):
    """The zygote finds the packages that this process found, wherever it was started."""
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join(filter(None, [here, environment.get("PYTHONPATH", "")]))


@dataclass
class _Process:
    """A forked process: `pid` is None until the zygote has said it."""

    limits: Limits
    socket: socket.socket
    scratch: str
    pid: int | None = None


class Child:
    """One confined process with its scratch folder. Use as a context manager."""

    def __init__(self, sandbox, process, files):
        self._sandbox, self._process = sandbox, process
        self._socket, self.limits = process.socket, process.limits
        if files is not None:
            shutil.copytree(files, process.scratch, dirs_exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._sandbox.end(self._process)

    def request(self, body, seconds, what, values=()):
        """Send a request and wait for its answer; `what` names it in the sentence if the clock strikes."""
        deadline = time.monotonic() + seconds
        try:
            self._socket.settimeout(seconds)
            channel.send(self._socket, body, *values)
            return channel.receive(_reader(self._socket, deadline))
        except (TimeoutError, _Late):
            raise ChildLost(f"{what} ran longer than {seconds:g} s.", TIMED_OUT) from None
        except (OSError, EOFError):
            raise ChildLost(f"{what} ended the process.") from None
        except BrokenChannel as error:
            raise ChildLost(f"{what} sent what is not an answer: {error}.") from None

    def run_cell(self, source, seconds, what):
        """Run a cell; its outputs in nbformat's form and its error, `(name, message)` or None."""
        body = self.request({"do": "cell", "source": source}, seconds, what)
        return _read_cell(body, what)

    def ask(self, request, arguments, seconds, what, form=None):
        """Ask a request's probe with one input: the answer, and what the student's code printed."""
        body = {"do": "probe", "name": request.name, "source": request.probe, "form": form}
        body = self.request(body, seconds, what, arguments)
        try:
            answer = read_answer(body)
        except BrokenChannel as error:
            raise ChildLost(f"{what} sent what is not an answer: {error}.") from None
        printed = body.get("printed", "")
        return answer, printed[:2000] if isinstance(printed, str) else ""

    def define(self, name, source):
        """Put a stand-in in the place of the answer `name`; None puts the answer back. Course code only."""
        body = {"do": "define", "name": name, "source": source}
        error = self.request(body, self.limits.cell_seconds, "a stand-in")["error"]
        if error:
            raise ChildLost(f"a stand-in for `{name}` cannot be defined: {error}")

    def modules(self):
        return self.request({"do": "modules"}, self.limits.cell_seconds, "the list of modules")["modules"]


class _Late(Exception):
    pass


def _reader(connection, deadline):
    def read(count):
        parts, missing = [], count
        while missing:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Late
            connection.settimeout(left)
            part = connection.recv(min(missing, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    return read


def _read_cell(body, what):
    outputs, error = body.get("outputs"), body.get("error")
    if not isinstance(outputs, list) or not all(isinstance(item, dict) for item in outputs):
        raise ChildLost(f"{what} sent what are not outputs.")
    if error is None:
        return outputs, None
    if not isinstance(error, dict):
        raise ChildLost(f"{what} sent what is not an error.")
    return outputs, (str(error.get("name"))[: channel.NAME_LIMIT], str(error.get("message")))


@contextlib.contextmanager
def starting(count, confined=True):
    """Sandboxes that begin to import now, beside whatever the caller does before it needs them."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Sandbox(confined)) for _ in range(count)]


def protections_missing(sandbox, required):
    """Names of required protections that do not hold for the sandbox's children."""
    with contextlib.closing(sandbox.child()):
        return [name for name in required if name not in sandbox.held]
