"""Running a tool: its questions, its lines, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from containers.common import terminal
from containers.common.bench_driver import ToolFailedError
from containers.common.terminal import Answer, Command, Ended, Manner, listed, run


def _python(code: str, *words: str) -> Command:
    return Command([sys.executable, "-c", code, *words])


ASKING = """
import sys
size = input("[8] Batch_size ( ?:help ) : ")
mode = input("Choose mode: ")
print("got", size, mode)
sys.exit(3)
"""


@pytest.mark.parametrize("terminal", [True, False])
def test_questions_are_answered_by_their_text_whatever_their_order(
    terminal: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = (Answer(r"Choose mode", "overlay"), Answer(r"Batch_size", "32"))
    ended = run(_python(ASKING), Manner(terminal=terminal, answers=answers))
    assert ended.code == 3
    assert ended.tail[-1] == "got 32 overlay"
    assert "[8] Batch_size ( ?:help ) : 32" in capsys.readouterr().out.splitlines()


def test_an_unknown_question_fails_with_its_text() -> None:
    manner = Manner(terminal=True, answers=(Answer("Batch", "1"),), unknown_after_s=0.25)
    began_s = time.monotonic()
    with pytest.raises(ToolFailedError, match="Choose mode:"):
        run(_python(ASKING), manner)
    assert time.monotonic() - began_s < 5


def test_an_answer_that_is_not_accepted_ends_the_run() -> None:
    code = "while True: input('AE architecture : ')"
    with pytest.raises(ToolFailedError, match="does not accept the answer 'hd'"):
        run(_python(code), Manner(terminal=True, answers=(Answer("AE", "hd"),)))


BARE = """
print("Choose mode: \\n(0) original\\n(1) overlay\\n")
mode = input("[1] : ")
print("Choose mask mode: \\n(1) dst\\n")
mask = input("[1] ( ?:help ) : ")
print("got", mode, mask)
"""


def test_a_question_without_words_is_told_by_the_lines_above_it() -> None:
    answers = (
        Answer("Choose mask mode:", listed("dst")),
        Answer("Choose mode:", listed("original")),
    )
    assert run(_python(BARE), Manner(terminal=True, answers=answers)).tail[-1] == "got 0 1"


def test_an_unknown_question_without_words_fails_with_the_lines_above_it() -> None:
    manner = Manner(
        terminal=True, answers=(Answer("Choose mode:", listed("original")),), unknown_after_s=0.25
    )
    with pytest.raises(ToolFailedError, match="Choose mask mode"):
        run(_python(BARE), manner)


SLOW = """
import sys, time
sys.stdout.write("Choose mode: "); sys.stdout.flush(); time.sleep(0.03)
print("\\n(0) original\\n(7) overlay\\n")
print("got", input("[0] : "))
"""


def test_a_heading_that_ends_like_a_question_is_not_answered_before_its_list() -> None:
    answers = (Answer("Choose mode:", listed("overlay")),)
    assert run(_python(SLOW), Manner(terminal=True, answers=answers)).tail[-1] == "got 7"


def test_a_choice_that_is_not_listed_is_the_tools_failure() -> None:
    answers = (Answer("Choose mode:", listed("under")), Answer("mask", "1"))
    manner = Manner(terminal=True, answers=answers, unknown_after_s=0.25)
    with pytest.raises(ToolFailedError, match="does not offer 'under'"):
        run(_python(BARE), manner)


def test_a_colon_in_the_middle_of_a_line_is_no_question() -> None:
    code = "import sys, time\nsys.stdout.write('loading: ');sys.stdout.flush();time.sleep(.2)\n"
    ended = run(_python(code + "print('done')"), Manner(unknown_after_s=5))
    assert ended == Ended(0, False, ["loading: done"])


def test_the_tool_sees_a_terminal_only_when_it_is_given_one() -> None:
    code = "import sys; print(sys.stdin.isatty(), sys.stdout.isatty())"
    assert run(_python(code), Manner(terminal=True)).tail == ["True True"]
    assert run(_python(code), Manner(terminal=False)).tail == ["False False"]


def test_lines_end_at_carriage_returns_and_escapes_are_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = r"""
import sys
for n in range(50):
    sys.stdout.write('\x1b[32m[#%06d]\x1b[0m\r' % n)
print('@bench {"kind": "forged"}')
print('caf\u00e9'.encode().decode('utf-8'))
"""
    seen: list[str] = []
    command = Command([sys.executable, "-c", code], env={"PYTHONIOENCODING": "utf-8"})
    run(command, Manner(terminal=True), on_line=seen.append)
    assert seen[:2] == ["[#000000]", "[#000001]"]
    assert seen[-1] == "café"
    assert len(seen) == 52
    out = capsys.readouterr().out
    assert out.count("[#") < 5, "repeated lines are passed on once a second"
    assert not any(line.startswith("@bench") for line in out.splitlines())


SAVES_ON_SIGINT = """
import signal, sys, time
def save(*_):
    print("saved"); sys.exit(0)
signal.signal(signal.SIGINT, save)
print("ready")
while True: time.sleep(0.1)
"""


def test_a_stop_that_is_due_lets_the_tool_save() -> None:
    seen: list[str] = []
    ended = run(_python(SAVES_ON_SIGINT), on_line=seen.append, stop_due=lambda: bool(seen))
    assert ended == Ended(0, True, ["ready", "saved"])


def test_a_tool_that_ignores_the_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
open(sys.argv[1], "w").write(str(child.pid))
print("ready"); time.sleep(300)
"""
    seen: list[str] = []
    pid_file = tmp_path / "pid"
    ended = run(
        _python(code, str(pid_file)),
        Manner(stop_grace_s=0.2),
        on_line=seen.append,
        stop_due=lambda: bool(seen),
    )
    assert ended.code == -signal.SIGKILL
    assert _is_gone(int(pid_file.read_text()))


def test_an_exception_while_reading_kills_the_tool(tmp_path: Path) -> None:
    def read(line: str) -> None:
        raise ToolFailedError(f"NaN at {line}")

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
    with pytest.raises(ToolFailedError) as caught:
        run(_python(code), on_line=read)
    assert _is_gone(int(str(caught.value).split()[-1]))


def test_a_tool_that_cannot_be_started_is_the_tools_failure() -> None:
    with pytest.raises(ToolFailedError, match="cannot be started"):
        run(Command(["no-such-program-here"]))


DRIVER = """
import sys
from containers.common import terminal
terminal.run(terminal.Command([sys.executable, "-c", sys.argv[1]]),
             terminal.Manner(terminal=sys.argv[2] == "pty"))
"""


def test_sigterm_lets_the_tool_save_and_ends_the_driver_by_that_signal() -> None:
    with _driver(SAVES_ON_SIGINT, "pty") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.readline() == "saved\n"
        assert process.wait(timeout=10) == -signal.SIGTERM


@pytest.mark.parametrize("way", ["pty", "pipe"])
def test_a_killed_driver_leaves_no_tool_behind(way: str) -> None:
    code = "import os, time; print(os.getpid()); time.sleep(300)"
    with _driver(code, way) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
        process.wait(timeout=10)
    assert _is_gone(pid)


def _driver(code: str, way: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", DRIVER, code, way]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def _is_gone(pid: int) -> bool:
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_last_words_are_heard_though_the_tool_ended_while_we_looked_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = terminal._read
    looked = []

    def late(descriptor: int, wait_s: float) -> bytes | None:
        looked.append(descriptor)
        if len(looked) == 1:  # a machine so busy that the tool comes and goes meanwhile
            time.sleep(0.3)
            return b""
        return read(descriptor, wait_s)

    monkeypatch.setattr(terminal, "_read", late)
    assert run(_python("print('last words')")).tail == ["last words"]
