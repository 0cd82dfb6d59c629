"""Trusted side of the wall: a notebook's cells and questions in, outputs and answers out.

`Sandbox` holds one zygote; `Child` is one confined process, driven request by request, with the clock
on this side. `record` takes a whole submission through it and costs a broken cell only itself: where
the child is lost, a fresh one goes on behind the step that lost it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder import channel
from autograder.channel import BrokenChannel
from autograder.confine import Limits
from autograder.judge import LOST, TIMED_OUT, Answer
from autograder.probe import read_answer

START_SECONDS = 300  # importing TensorFlow on a loaded, cold machine
MAX_RESTARTS = 8
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
        self._ask({"warm": modules})

    def child(self, limits=None, files=None):
        """A fresh child; `files` is a folder whose content is copied into its scratch folder."""
        self.wait_ready()
        return Child(self, limits or Limits(), files)

    def fork(self, options):
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [channel.encode({"fork": options})], [theirs.fileno()])
            answer = self._receive()
        finally:
            theirs.close()
        if not answer["pid"]:
            ours.close()
            raise SandboxError(f"a child could not be started: {self._tail()}")
        self.held = answer["held"]
        return ours, answer["pid"]

    def end(self, pid):
        return self._ask({"end": pid})["ended"]

    def _ask(self, request):
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


class Child:
    """One confined process with its scratch folder. Use as a context manager."""

    def __init__(self, sandbox, limits, files):
        self._sandbox, self.limits = sandbox, limits
        self._scratch = tempfile.mkdtemp(prefix="autograder-scratch-")
        if files is not None:
            shutil.copytree(files, self._scratch, dirs_exist_ok=True)
        options = {"limits": limits.to_dict(), "scratch": self._scratch, "confined": sandbox.confined}
        self._socket, self._pid = sandbox.fork(options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()
        self._sandbox.end(self._pid)
        shutil.rmtree(self._scratch, ignore_errors=True)

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


@dataclass(frozen=True)
class Cell:
    """A code cell to run: `key` is its grade id or its place, `label` its name in sentences."""

    key: str
    label: str
    source: str


@dataclass(frozen=True)
class Request:
    """A question to ask: the probe's source, and its inputs as the judge will pair them with answers."""

    name: str
    probe: str
    examples: list
    hidden: list


@dataclass
class Transcript:
    """What one submission did.

    outputs: cell key → outputs in nbformat's form
    faults: cell key → ("raised", TIMED_OUT or LOST, and a sentence)
    answers: question → one Answer an input, examples first
    printed: question → what student code printed while hidden inputs were there, for instructors
    """

    outputs: dict = field(default_factory=dict)
    faults: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    printed: dict = field(default_factory=dict)
    seconds: float = 0.0
    restarts: int = 0  # children started


def record(sandbox, cells, requests, limits, files=None):
    """Take a submission through its cells, then all examples, then all hidden inputs.

    In this order because whatever may be shown to a student is settled before the first hidden input
    is sent; a later message could carry one out.
    """
    return _Recorder(sandbox, cells, requests, limits, files).run()


class _Recorder:
    def __init__(self, sandbox, cells, requests, limits, files):
        self.sandbox, self.cells, self.limits, self.files = sandbox, cells, limits, files
        self.requests = requests
        self.transcript = Transcript()
        self.child, self.lost = None, set()
        self._total = limits.submission_seconds
        self.deadline = time.monotonic() + self._total

    def run(self):
        began = time.monotonic()
        try:
            self._start()
            for part in ("examples", "hidden"):
                for request in self.requests:
                    self._ask(request, getattr(request, part), part == "hidden")
        finally:
            self._stop()
        self.transcript.seconds = time.monotonic() - began
        return self.transcript

    def _stop(self):
        if self.child is not None:
            self.child.close()
            self.child = None

    def _start(self):
        """See that there is a child that has run the cells; those that lose it are left out the next time."""
        while self.child is None and self._exhausted() is None:
            self.transcript.restarts += 1
            self.child = self.sandbox.child(self.limits, self.files)
            for cell in self.cells:
                if cell.key not in self.lost and not self._run(cell):
                    break

    def _exhausted(self):
        """Why there is no further child for this submission, or None."""
        if time.monotonic() >= self.deadline:
            return Answer(
                "none", error=TIMED_OUT, message=f"The submission ran longer than {self._total:g} s."
            )
        if self.transcript.restarts > MAX_RESTARTS:
            return Answer(
                "none", error=LOST, message=f"The submission ended its process {MAX_RESTARTS} times."
            )
        return None

    def _run(self, cell):
        """Run one cell; False where that lost the child."""
        seconds = self._seconds(self.limits.cell_seconds)
        try:
            outputs, error = self.child.run_cell(cell.source, seconds, f"cell `{cell.label}`")
        except ChildLost as loss:
            self.lost.add(cell.key)
            self.transcript.faults[cell.key] = (loss.kind, _sentence(loss))
            self._stop()
            return False
        if cell.key not in self.transcript.outputs:
            self.transcript.outputs[cell.key] = outputs
            if error is not None:
                text = f": {error[1]}" if error[1] else "."
                self.transcript.faults[cell.key] = (
                    "raised",
                    f"Cell `{cell.label}` stops with {error[0]}{text}",
                )
        return True

    def _seconds(self, limit):
        return max(0.001, min(limit, self.deadline - time.monotonic()))

    def _ask(self, request, inputs, hidden):
        answers = self.transcript.answers.setdefault(request.name, [])
        for arguments in inputs:
            if answers and answers[-1].kind == "none":
                answers.append(answers[-1])
                continue
            self._start()
            if self.child is None:
                answers.append(self._exhausted())
                continue
            try:
                answer, printed = self.child.ask(
                    request,
                    arguments,
                    self._seconds(self.limits.probe_seconds),
                    f"one call of `{request.name}`",
                )
            except ChildLost as loss:
                self._stop()
                answer, printed = Answer("none", message=_sentence(loss), error=loss.kind), ""
            answers.append(answer)
            if hidden and printed:
                self.transcript.printed[request.name] = printed


def _sentence(loss):
    text = str(loss)
    return text[0].upper() + text[1:]


def protections_missing(sandbox, required):
    """Names of required protections that do not hold for the sandbox's children."""
    with contextlib.closing(sandbox.child()):
        return [name for name in required if name not in sandbox.held]
