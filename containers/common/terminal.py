"""Run a tool under a terminal or through pipes, answer its questions, stop it in order.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import codecs
import contextlib
import ctypes
import errno
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from types import FrameType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from containers.common.bench_driver import ToolFailedError

PROMPT = re.compile(r"[:?]\s*$")
"""Ending of an unfinished line with which the tool waits for an answer."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
UNKNOWN_AFTER_S = float(os.environ.get("BENCH_UNKNOWN_AFTER_S", "30"))
"""Quiet seconds after which an unfinished line that looks like a question is one."""
STOP_GRACE_S = float(os.environ.get("BENCH_STOP_GRACE_S", "600"))
"""Seconds a tool may take to save its model after it was asked to stop."""

_KEPT_LINES = 200
_POLL_S = 0.2
_QUIET_S = 0.02
_LIST_QUIET_S = 0.15
"""A heading such as "Choose mode: " may come before the list that belongs to it."""

_SAME_QUESTION = 3
_PR_SET_PDEATHSIG = 1
_HEADING_LINES = 40
_BARE = re.compile(r"[^A-Za-z]*(\?:help)?[^A-Za-z]*$")
_LAST_WORDS_S = 5.0


def listed(name: str) -> Callable[[str], str]:
    """An answer for a question above which the choices are listed as ``(4) name``: the number.

    The answer raises ToolFailedError when the tool does not offer the name.
    """

    def number(question: str) -> str:
        found = re.search(r"^\s*[(\[](\d+)[)\]]\s*:?\s*%s\s*$" % re.escape(name), question, re.M)
        if found is None:
            raise ToolFailedError("The tool does not offer '%s' here: %s" % (name, question))
        return found.group(1)

    return number


OnLine = Callable[[str], None]
StopDue = Callable[[], bool]


class Answer(NamedTuple):
    """Text to type when the question's text matches ``pattern`` (searched, case-sensitive).

    The text is the unfinished line the tool waits in. When that has no words of its own, as in
    ``[1] :`` or ``[0] ( ?:help ) :``, it is all lines since the last answer.
    """

    pattern: str
    text: Union[str, Callable[[str], str]]
    """Or what makes it of the question's text, for lists whose numbers differ between versions."""


class Command(NamedTuple):
    """Program to run. ``env`` is added to the driver's own environment."""

    words: Sequence[str]
    cwd: Optional[str] = None
    env: Optional[Dict[str, str]] = None


class Manner(NamedTuple):
    """Manner of running it: under a terminal or not, what to answer, how long to wait."""

    terminal: bool = False
    answers: Sequence[Answer] = ()
    unknown_after_s: float = UNKNOWN_AFTER_S
    """Seconds to wait at a question without an answer."""
    stop_grace_s: float = STOP_GRACE_S
    """Seconds an orderly stop may take to save before everything is killed."""
    term_grace_s: float = 20.0
    """The same, when somebody else stops the driver."""
    stop_again_s: Optional[float] = None
    """Seconds between repeated SIGINTs, for tools that may miss one; None is never."""
    repeat_every_s: float = 1.0
    """Lines that end in a carriage return are passed on at most this often."""


class Ended(NamedTuple):
    """End of the tool: its exit code (negative: signal), why we stopped it, its last lines."""

    code: int
    stopped: bool
    tail: List[str]


class _Tool(NamedTuple):
    process: "subprocess.Popen[bytes]"
    output: int
    typing: int


def run(
    command: Command,
    manner: Manner = Manner(),  # noqa: B008 - immutable
    on_line: Optional[OnLine] = None,
    stop_due: Optional[StopDue] = None,
) -> Ended:
    """Run a tool to its end and pass its output on to stdout, a line at a time.

    ``on_line`` sees every line, whether it ended in ``\\r`` or ``\\n``. ``stop_due`` is asked about
    five times a second; when it says true the tool gets SIGINT and ``stop_grace_s`` to save. An
    exception from either kills the tool and goes on to the caller.

    SIGTERM or SIGINT to the driver stop the tool the same way; then the driver ends by that signal.
    Nothing of the tool's process group is left behind. Raises ToolFailedError for a question no
    answer fits, for a question asked over and over, and for a command that cannot be started.
    """
    return _Conversation(command, manner, on_line, stop_due).run()


def _die_with_parent() -> Callable[[], None]:
    """Function for the child to call, so that a killed driver leaves no tool running."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return lambda: None
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(command: Command, terminal: bool) -> _Tool:
    environment = dict(os.environ)
    environment.update({"PYTHONUNBUFFERED": "1", "TERM": "dumb"})
    environment.update(command.env or {})
    bind = _die_with_parent()
    if terminal:
        ours, theirs = pty.openpty()
        modes = termios.tcgetattr(theirs)
        # Our own log shows each answer; an echo would show it twice.
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        reading, writing, stdin, stdout = ours, os.dup(ours), theirs, theirs
    else:
        reading, stdout = os.pipe()
        stdin, writing = os.pipe()

    def prepare() -> None:
        os.setsid()
        bind()
        if terminal:
            os.close(os.open(os.ttyname(0), os.O_RDWR))  # makes it the controlling terminal

    try:
        process = subprocess.Popen(
            list(command.words),
            stdin=stdin,
            stdout=stdout,
            stderr=stdout,
            cwd=command.cwd,
            env=environment,
            preexec_fn=prepare,
        )
    except OSError as error:
        for descriptor in (reading, writing):
            os.close(descriptor)
        raise ToolFailedError("%s cannot be started: %s." % (command.words[0], error)) from error
    finally:
        for descriptor in {stdin, stdout}:
            os.close(descriptor)
    return _Tool(process, reading, writing)


def _read(descriptor: int, wait_s: float) -> Optional[bytes]:
    """Output that came within ``wait_s``; empty when nothing came, None at the end."""
    if not select.select([descriptor], [], [], wait_s)[0]:
        return b""
    try:
        return os.read(descriptor, 65536) or None
    except OSError as error:
        if error.errno == errno.EIO:  # a terminal whose other side is closed
            return None
        raise


class _Conversation:
    def __init__(
        self,
        command: Command,
        manner: Manner,
        on_line: Optional[OnLine],
        stop_due: Optional[StopDue],
    ) -> None:
        self._command, self._manner = command, manner
        self._on_line, self._stop_due = on_line, stop_due
        self._partial = ""
        self._tail: List[str] = []
        self._asked: Dict[str, int] = {}
        self._heading: List[str] = []
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._heard_s = time.monotonic()
        self._passed_on_s = float("-inf")
        self._told_s = float("-inf")
        self._kill_at_s: Optional[float] = None
        self._signal = 0

    def run(self) -> Ended:
        before = self._listen()
        try:
            tool = _start(self._command, self._manner.terminal)
            patient = False
            try:
                patient = self._talk(tool)
            finally:
                _end_group(tool.process, patient)
                os.close(tool.output)
                os.close(tool.typing)
        finally:
            for number, handler in before:
                signal.signal(number, handler)
        if self._signal:
            sys.stdout.flush()
            signal.signal(self._signal, signal.SIG_DFL)
            os.kill(os.getpid(), self._signal)
        stopped = self._kill_at_s is not None
        return Ended(tool.process.returncode, stopped, self._tail)

    def _listen(self) -> List[Tuple[int, Any]]:
        def heard(number: int, frame: Optional[FrameType]) -> None:
            self._signal = number

        try:
            return [(one, signal.signal(one, heard)) for one in (signal.SIGTERM, signal.SIGINT)]
        except ValueError:  # not in the main thread: whoever runs us there looks after signals
            return []

    def _talk(self, tool: _Tool) -> bool:
        """Read until the end; whether the tool ended the conversation itself."""
        self._heard_s = time.monotonic()
        while True:
            # Asked before it is read: between a read and the question its last words may come.
            ended = tool.process.poll() is not None
            data = _read(tool.output, _QUIET_S if self._partial else _POLL_S)
            if data is None:
                break
            if data:
                self._hear(self._decode(data))
            elif ended:
                break  # a grandchild may hold the output open for ever
            else:
                self._answer(tool)
            if self._stop(tool):
                return False
        self._line(self._partial, "\n")
        return True

    def _hear(self, text: str) -> None:
        self._heard_s = time.monotonic()
        pieces = re.split("(\r*\n|\r)", self._partial + _ESCAPES.sub("", text))
        for line, end in zip(pieces[:-1:2], pieces[1::2]):
            self._line(line, end)
        self._partial = pieces[-1]

    def _line(self, line: str, end: str) -> None:
        if not line.strip():
            return
        now_s = time.monotonic()
        shown = end != "\r" or now_s - self._passed_on_s >= self._manner.repeat_every_s
        if shown:
            self._passed_on_s = now_s if end == "\r" else self._passed_on_s
            self._pass_on(line)
        if self._on_line is not None:
            try:
                self._on_line(line)
            except Exception:
                if not shown:
                    self._pass_on(line)  # the reason of a failure belongs into the log
                raise

    def _pass_on(self, line: str) -> None:
        # Only the driver speaks in events.
        sys.stdout.write((" " + line if line.startswith("@bench ") else line) + "\n")
        sys.stdout.flush()
        self._tail = [*self._tail, line][-_KEPT_LINES:]
        self._heading = [*self._heading, line][-_HEADING_LINES:]

    def _answer(self, tool: _Tool) -> None:
        prompt = self._partial.strip()
        if not prompt or not PROMPT.search(prompt):
            return
        question = prompt
        if _BARE.match(prompt):
            question = "\n".join([*self._heading, prompt])
        quiet_s = time.monotonic() - self._heard_s
        for answer in self._manner.answers:
            if re.search(answer.pattern, question):
                self._reply(tool, question, answer, quiet_s)
                return
        if quiet_s > self._manner.unknown_after_s:
            raise ToolFailedError(
                "The tool asks what this driver has no answer for: %s (Its version may not be the "
                "one this driver was written for.)" % question
            )

    def _reply(self, tool: _Tool, question: str, answer: Answer, quiet_s: float) -> None:
        if isinstance(answer.text, str):
            self._type(tool, question, answer.text)
        elif quiet_s >= _LIST_QUIET_S:
            try:
                text = answer.text(question)
            except ToolFailedError:
                if quiet_s <= self._manner.unknown_after_s:
                    return  # the list may still be on its way
                raise
            self._type(tool, question, text)

    def _type(self, tool: _Tool, question: str, answer: str) -> None:
        self._asked[question] = self._asked.get(question, 0) + 1
        if self._asked[question] > _SAME_QUESTION:
            raise ToolFailedError(
                "The tool does not accept the answer '%s' and asks again: %s" % (answer, question)
            )
        prompt, self._partial = self._partial.strip(), ""
        self._line("%s %s" % (prompt, answer), "\n")
        self._heading = []
        os.write(tool.typing, (answer + "\n").encode("utf-8"))

    def _stop(self, tool: _Tool) -> bool:
        """Start an orderly stop when it is time; true when there is no waiting any more."""
        now_s = time.monotonic()
        if self._kill_at_s is None:
            grace_s = self._manner.stop_grace_s
            if self._signal:
                grace_s = self._manner.term_grace_s
            elif self._stop_due is None or not self._stop_due():
                return False
            self._kill_at_s = now_s + grace_s
            self._interrupt(tool)
        elif self._signal:
            self._kill_at_s = min(self._kill_at_s, now_s + self._manner.term_grace_s)
        if self._manner.stop_again_s and now_s - self._told_s >= self._manner.stop_again_s:
            self._interrupt(tool)
        return now_s > self._kill_at_s

    def _interrupt(self, tool: _Tool) -> None:
        # Only the tool itself: its helpers die badly of a Ctrl-C, and it waits for them.
        tool.process.send_signal(signal.SIGINT)
        self._told_s = time.monotonic()


def _end_group(process: "subprocess.Popen[bytes]", patient: bool) -> None:
    """Let a tool that closed its output end by itself, then kill what is left of its group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_LAST_WORDS_S if patient else 0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
