"""Paths in, a process that can open nothing else out: Linux' Landlock, through its three system calls.

Source: the kernel's documentation, "Landlock: unprivileged access control". Numbers of the calls are the
same on all architectures.
"""

import ctypes
import os
import stat

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_QUESTION, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << bit for bit in range(4))
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FIRST_VERSION = (1 << 13) - 1  # what the first version of the interface knows: bits 0 to 12
SINCE = {2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR

_libc = ctypes.CDLL(None, use_errno=True)


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("filesystem", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathAttributes(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version():
    """Version of the interface here; 0 where there is none."""
    try:
        return _call(CREATE_RULESET, None, 0, VERSION_QUESTION)
    except OSError:
        return 0


def restrict(readable, writable):
    """Keep this process and its descendants from all files but those beneath the given paths, for good.

    readable: files and folders to read and execute; writable: to do anything with. What is not there is
    left out. From version 6 on, signals and abstract sockets stay inside as well. Needs `no_new_privs`.
    """
    here = version()
    everything = FIRST_VERSION
    for since, bit in SINCE.items():
        if here >= since:
            everything |= bit
    attributes = _RulesetAttributes(everything, 0b11 if here >= 4 else 0, 0b11 if here >= 6 else 0)
    size = 24 if here >= 6 else 16 if here >= 4 else 8
    ruleset = _call(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for paths, allowed in ((readable, READ), (writable, everything)):
            for path in paths:
                _allow(ruleset, path, allowed & everything)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset, path, allowed):
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= OF_A_FILE
        attributes = _PathAttributes(allowed, descriptor)
        _call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(attributes), 0)
    finally:
        os.close(descriptor)


def _call(number, *arguments):
    result = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
