"""Errors as they stand in a trace."""

import json
import subprocess

import trio

from .watch import plain


class UserError(Exception):
    pass


class Defects:
    """Defects of trio that a run has met. A program may replace the error that tells of one by another."""

    def __init__(self):
        self.seen = []

    def fail(self, text, error):
        self.seen.append(text)
        raise AssertionError(text) from error


defects = Defects()


class Over(BaseException):
    """Ends what a thread does once the main task has ended. Nobody sees it."""


def holds_assertion(error):
    """Whether it is a defect of trio itself, which asserts that something cannot happen."""
    if isinstance(error, BaseExceptionGroup):
        return any(holds_assertion(member) for member in error.exceptions)
    return isinstance(error, AssertionError)


def shape(error):
    if isinstance(error, BaseExceptionGroup):
        members = sorted((shape(member) for member in error.exceptions), key=json.dumps)
        return {"group": members}
    if isinstance(error, trio.Cancelled):
        return "cancelled"
    if isinstance(error, KeyboardInterrupt):
        return "interrupt"
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, trio.TrioInternalError):
        if holds_assertion(error.__cause__):
            defects.fail("trio fails in a system task", error)
        if "Internal nursery" in str(error):
            # `start` expects one error from its nursery, and two have met there: a Ctrl-C and another one.
            defects.fail("trio fails in start", error)
        return "internal"
    if isinstance(error, RuntimeError):
        return "RuntimeError"
    if isinstance(error, subprocess.CalledProcessError):
        return "ProcessFailed"
    if isinstance(error, Over):
        return "over"
    defects.fail(f"unforeseen: {error!r}", error)


def task_name(text):
    """The name in what trio shows of a task: `<Task 't1' at 0x7f…>`."""
    if text is None:
        return None
    name = text.split("'")[1]
    if name == "<init>":
        # Trio's own.
        return None
    return plain(name)


def with_reason(error, origin):
    """A cancellation: who asked for it, the text that was given, and (if `origin`) the task."""
    outcome = ["cancelled", error.source, error.reason if error.source == "explicit" else None]
    return outcome + [task_name(error.source_task)] if origin else outcome
