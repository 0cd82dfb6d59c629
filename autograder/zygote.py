"""Requests for children in, forked children out: the process that has imported everything once.

It runs no TensorFlow operation and no student code, and holds nothing of the course. A child starts
as a copy of it, which costs hundredths of a second instead of the seconds of importing TensorFlow.
Started by `autograder.sandbox`; speaks over the socket whose number is its only argument.
"""

import contextlib
import gc
import importlib
import io
import os
import signal
import socket
import sys
import traceback

from autograder import channel, child, confine

WARM_MODULES = (
    "numpy",
    "scipy.signal",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "IPython.display",
)
HEAVY_MODULES = ("tensorflow", "keras")
ALLOWED_TO_FAIL = ("scipy.signal", *HEAVY_MODULES)


def main(descriptor):
    control = socket.socket(fileno=descriptor)
    confine.become_subreaper()
    for name in (*WARM_MODULES, *HEAVY_MODULES):
        warm(name, required=name not in ALLOWED_TO_FAIL)
    _render_once()
    child.prepare_shell()
    gc.freeze()
    channel.send(control, {"ready": True})
    while True:
        try:
            request, descriptors = _request(control)
        except EOFError:
            return
        if "fork" in request:
            channel.send(control, _fork(request["fork"], descriptors[0], control))
        elif "end" in request:
            channel.send(control, {"ended": end(request["end"])})
        elif "warm" in request:
            for name in request["warm"]:
                warm(name, required=False)
            gc.freeze()
            channel.send(control, {"ready": True})
        for number in descriptors:
            os.close(number)


def warm(name, required):
    """Import a module now, so that no child needs to."""
    try:
        importlib.import_module(name)
    except Exception:
        if required:
            raise


def _render_once():
    """Fonts are found and read on the first figure; do it here, once."""
    from matplotlib.figure import Figure

    Figure(figsize=(1, 1)).add_subplot().set_title("a")
    figure = Figure(figsize=(1, 1))
    figure.add_subplot().set_title("a")
    figure.savefig(io.BytesIO(), format="png")


def _request(control):
    chunks, descriptors, _, _ = socket.recv_fds(control, 5, 1, socket.MSG_WAITALL)
    if not chunks:
        raise EOFError
    head = io.BytesIO(chunks)

    def read(count):
        got = head.read(count)
        while len(got) < count:
            more = control.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    return channel.receive(read), descriptors


def _fork(options, descriptor, control):
    """Fork one child; its process id and the protections that hold for it."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(read)
            control.close()
            status = child.start(options, descriptor, write)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        report = stream.read()
    if options["confined"]:
        os.waitpid(pid, 0)  # the process in between has ended; its child is ours now
    if not report:
        return {"pid": 0, "held": []}
    first, *held = report.decode().split("\n")
    return {"pid": int(first), "held": [name for name in held if name]}


def end(pid):
    """Kill a child, whoever of its group is left, and all orphans; how it had ended, or -9."""
    for target in (lambda: os.kill(pid, signal.SIGKILL), lambda: os.killpg(pid, signal.SIGKILL)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            target()
    status = -signal.SIGKILL
    try:
        _, raw = os.waitpid(pid, 0)
        status = os.waitstatus_to_exitcode(raw)
        while True:  # orphans that were handed to this process, its subreaper
            orphan, _ = os.waitpid(-1, os.WNOHANG)
            if orphan == 0:
                break
    except ChildProcessError:
        pass
    return status


if __name__ == "__main__":
    main(int(sys.argv[1]))
