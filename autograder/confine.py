"""In the child, after the fork: limits in, a confined process out, and the list of what holds.

One entry, `enter`, called before any student code is there. Everything that keeps a child apart from
the machine is in this module.
"""

import contextlib
import ctypes
import importlib.util
import os
import resource
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder import landlock

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 14, 1 << 18

NAMESPACES = {
    "network": CLONE_NEWNET,
    "processes": CLONE_NEWPID,
    "shared memory": CLONE_NEWIPC,
    "host name": CLONE_NEWUTS,
    "mounts": CLONE_NEWNS,
}
FILES = "files"  # by Landlock
PROTECTIONS = (*NAMESPACES, FILES)
REQUIRED = ("network", "processes", FILES)  # `grade` refuses to run student code where one of these fails

# what a program of this system reads to run at all; nothing of these is a user's
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
SHARED_MEMORY = "/dev/shm"
SHARED_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    cell_seconds, probe_seconds, submission_seconds: wall clock, enforced from outside
    memory_bytes: address space of each process; TensorFlow takes about 3 GB of it before it computes
    """

    cell_seconds: float = 30.0
    probe_seconds: float = 10.0
    submission_seconds: float = 300.0
    memory_bytes: int = 8 << 30
    file_bytes: int = 100 << 20
    processes: int = 512
    open_files: int = 512
    output_chars: int = 10_000_000

    def to_dict(self):
        return asdict(self)


_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if _libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def prctl(option, value):
    if _libc.prctl(option, value, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become_subreaper():
    """The calling process inherits the orphans among its descendants, so that it can end them all."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def enter(limits, scratch, report):
    """Confine the calling process, which must have one thread, and return in the confined child.

    It forks: the caller's process ends here, and the child goes on as the first process of a PID
    namespace, whose end takes all its descendants along. `report(pid, held)` is called in between
    with the child's process id as seen from outside and the names of the protections that hold.
    """
    held = _separate()
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(ready_read)
        report(pid, held)
        os.write(ready_write, b"1")
        os._exit(0)
    os.close(ready_write)
    os.read(ready_read, 1)  # nothing runs before the outside knows whom to kill
    os.close(ready_read)
    os.setsid()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if "mounts" in held and "processes" in held:
        with contextlib.suppress(OSError):  # some containers forbid it; Landlock and the limits still hold
            _mount_own()
    _limit(limits)
    os.chdir(scratch)
    if FILES in held:
        landlock.restrict(readable(), [scratch, SHARED_MEMORY, *DEVICES])


def readable():
    """What a child may read: the system, this Python, its packages and this project's, the data sets."""
    packages = [Path(importlib.util.find_spec(name).origin).parent for name in ("autograder", "mlsp_tf")]
    data = os.environ.get("MLSP_TF_DATA")
    return [*SYSTEM, sys.prefix, sys.base_prefix, *packages, *([data] if data else [])]


def _mount_own():
    """In the new namespaces: a /proc that shows only them; shared memory of their own, of limited size."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    hidden = MS_NOSUID | MS_NODEV | MS_NOEXEC
    _mount("proc", "/proc", "proc", hidden)
    if os.path.isdir(SHARED_MEMORY):
        _mount("tmpfs", SHARED_MEMORY, "tmpfs", hidden, f"size={SHARED_MEMORY_BYTES}")


def _mount(source, target, kind, flags, options=None):
    words = [None if word is None else word.encode() for word in (source, target, kind, options)]
    if _libc.mount(*words[:3], ctypes.c_ulong(flags), words[3]):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def _separate():
    """Enter new namespaces, as many as this system allows; names of what will hold, Landlock included."""
    held = []
    if _own_users():
        for name, flag in NAMESPACES.items():
            with contextlib.suppress(OSError):
                unshare(flag)
                held.append(name)
    if landlock.version():
        held.append(FILES)
    return held


def _own_users():
    """Enter a user namespace, in which the others may be made; root can do without."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER)
    except OSError:
        return uid == 0
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")
    return True


def _write(path, text):
    with open(path, "w") as stream:
        stream.write(text)


def _limit(limits):
    cpu = int(limits["submission_seconds"]) + 5
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file over its limit is an OSError, not the end


def probe_protections():
    """Which protections this system allows, tried out in a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            held = _separate()
            if "network" in held and _has_network():
                held.remove("network")
            os.write(write, "\n".join(held).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        held = stream.read().split("\n")
    os.waitpid(pid, 0)
    return [name for name in held if name]


def _has_network():
    return any(name != "lo" for _, name in socket.if_nameindex())
