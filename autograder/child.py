"""In the confined process: cells and probes in, outputs and answers out.

Student code runs here and may do to this process what it likes. Nothing here is trusted, and nothing
that it must not know ever arrives: it gets source, arguments, and no expectation.
"""

import io
import json
import linecache
import os
import socket
import subprocess
import sys
import tempfile
import time

from autograder import channel, confine, probe

TRACEBACK_LINES = 100

_shell = None
_replaced = {}  # answers whose place a stand-in has


def prepare_shell():
    """Make the IPython shell before the fork; it runs nothing yet."""
    global _shell
    import matplotlib
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib_inline.config import InlineBackend
    from traitlets import Type
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        def publish(self, data, metadata=None, **_):
            _outputs.add({"output_type": "display_data", "data": data, "metadata": metadata or {}})

        def clear_output(self, wait=False):
            _outputs.clear()

    class Hook(DisplayHook):
        def write_output_prompt(self):
            pass

        def write_format_data(self, format_dict, md_dict=None):
            _outputs.add(
                {
                    "output_type": "execute_result",
                    "execution_count": self.prompt_count,
                    "data": format_dict,
                    "metadata": md_dict or {},
                }
            )

        def log_output(self, format_dict):
            pass

    class Shell(InteractiveShell):
        display_pub_class = Type(Publisher)
        displayhook_class = Type(Hook)

        def enable_gui(self, gui=None):
            pass  # there is no event loop to join

        def system(self, command):
            """A `!command`; IPython's own asks for a terminal, and there is none."""
            text, pipe = self.var_expand(command, depth=1), subprocess.PIPE
            done = subprocess.run(
                text, shell=True, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace"
            )
            print(done.stdout, end="")
            self.user_ns["_exit_code"] = done.returncode

        def _showtraceback(self, etype, evalue, stb):
            _outputs.items.append(
                {
                    "output_type": "error",
                    "ename": channel.type_name(evalue),
                    "evalue": probe.message(evalue),
                    "traceback": [str(line)[:2000] for line in stb][:TRACEBACK_LINES],
                }
            )

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    _shell = Shell.instance(config=config)
    _shell.enable_matplotlib("inline")
    # A kernel draws every figure twice, to crop its margins. A third of the time for pictures goes there,
    # so these are drawn once, with margins that hold the labels of low figures too.
    InlineBackend.instance(parent=_shell).print_figure_kwargs = {"bbox_inches": None}
    matplotlib.rcParams["figure.subplot.bottom"] = 0.22


class Outputs:
    """What the running cell has shown so far, in nbformat's form, up to a number of characters."""

    def __init__(self):
        self.limit = self.room = 0
        self.items = []

    def start(self, limit):
        self.limit = self.room = limit
        self.items = []

    def clear(self):
        self.items = []

    def add(self, item):
        item["data"] = {str(kind): _text(part) for kind, part in item["data"].items()}
        try:
            size = len(json.dumps(item, allow_nan=False))
        except (TypeError, ValueError, RecursionError):
            self.write("stdout", "[an output that cannot be stored in a notebook was left out]\n")
            return
        if self._fits(size):
            self.items.append(item)

    def write(self, name, text):
        if not text or not self._fits(len(text)):
            return
        last = self.items[-1] if self.items else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def _fits(self, size):
        if self.room < 0:
            return False
        self.room -= size
        if self.room < 0:
            note = f"[output cut: more than {self.limit} characters]\n"
            self.items.append({"output_type": "stream", "name": "stdout", "text": note})
            return False
        return True


def _text(part):
    if isinstance(part, bytes):
        import base64

        return base64.b64encode(part).decode()
    return part if isinstance(part, (dict, list)) else str(part)


_outputs = Outputs()


class Stream(io.TextIOBase):
    """Stands for sys.stdout and sys.stderr while student code runs."""

    encoding = "utf-8"

    def __init__(self, name):
        self.name = name

    def write(self, text):
        _outputs.write(self.name, str(text))
        return len(text)

    def writable(self):
        return True


def start(options, descriptor, report_descriptor):
    """Confine this process and serve requests until the judge hangs up; an exit status."""

    def report(pid, held):
        os.write(report_descriptor, "\n".join([str(pid), *held]).encode())

    if options["confined"]:
        confine.enter(options["limits"], options["scratch"], report)
    else:
        os.setsid()
        os.chdir(options["scratch"])
        report(os.getpid(), [])
    os.close(report_descriptor)
    _settle(options)
    serve(socket.socket(fileno=descriptor), options["limits"])
    return 0


def _settle(options):
    """Make the process look to student code like a fresh kernel in its own folder."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    os.environ |= dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), options["scratch"])
    tempfile.tempdir = None  # found anew, from the environment
    sys.path.insert(0, "")
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def serve(connection, limits):
    """Answer requests one by one."""
    with connection.makefile("rb") as stream:
        read = channel.reader(stream)
        while True:
            try:
                request = channel.receive(read)
            except EOFError:
                return
            task = {"cell": run_cell, "probe": run_probe, "define": define, "modules": loaded_modules}[
                request["do"]
            ]
            began = time.perf_counter()
            body, arrays = task(request, limits)
            connection.sendall(channel.encode(body | {"seconds": time.perf_counter() - began}, arrays))


def run_cell(request, limits):
    """Run one code cell as a notebook does."""
    _outputs.start(limits["output_chars"])
    error = None
    try:
        result = _shell.run_cell(request["source"], store_history=True, silent=False)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as raised:
        error = raised
    body = {"outputs": _outputs.items, "error": None}
    if error is not None:
        body["error"] = {"name": channel.type_name(error), "message": probe.message(error)}
    return body, []


def run_probe(request, limits):
    """Ask one probe; what it prints goes to the instructor only."""
    _outputs.start(limits["output_chars"])
    function = probe.compile_probe(request["source"], request["name"])
    body, arrays = probe.ask(function, _shell.user_ns, request.get("values", []), request["form"])
    printed = "".join(item.get("text", "") for item in _outputs.items)
    return body | {"printed": printed[:2000]}, arrays


def define(request, limits):
    """Put a stand-in in an answer's place, or the answer back.

    Only ever asked of a child that runs the course's own code. The stand-in sees the notebook's names,
    and its own imports and helpers do not replace any of them.
    """
    name, names = request["name"], _shell.user_ns
    _replaced.setdefault(name, names.get(name))
    if request["source"] is None:
        names[name] = _replaced.pop(name)
        return {"error": None}, []
    source, scope, place = request["source"], dict(names), f"<stand-in {name}>"
    # AutoGraph reads a function's source, as it can in a notebook
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    try:
        exec(compile(source, place, "exec"), scope)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}, []
    names[name] = scope[name]
    return {"error": None}, []


def loaded_modules(request, limits):
    """What has been imported here, so that the zygote can import it for the children to come."""
    return {"modules": sorted(sys.modules)}, []
