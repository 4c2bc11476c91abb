"""Faceswap's program in a place where it can write, and how it is run and judged.

Upstream writes settings, logs, previews and crash reports alongside faceswap.py, which lies in a
read-only image; so each step works in a copy of the program, without the weights, which are linked.
Standard library only and Python 3.6 syntax.
"""

import contextlib
import json
import os
import re
import shutil
from typing import Any, Dict, Iterator, List, Sequence

from containers.common import gpu, terminal
from containers.common.bench_driver import BadJobError, Job, ToolFailedError
from containers.common.training import ErrorLines
from containers.faceswap import commands_v1, commands_v3, settings

TOOL = os.environ.get("FACESWAP", "/opt/faceswap")
PYTHON = os.environ.get("FACESWAP_PYTHON", "python3")

CACHES = (".cache", ".fs_cache")
"""Folders of downloaded weights: v1.0.0 has one per plugin, v3.0.0 one alongside faceswap.py."""
_LEFT_OUT = (".git", ".github", "docs", "__pycache__")

# The lines around a crash say only that there was one; the exception's own line says which.
ERRORS = (
    r"\b(?:ERROR|CRITICAL)\s+(?!\s|Got Exception|Caught exception|Error caught|An unexpected)"
    r"|^(?:\w+\.)*\w*(?:Error|error|Exception): "
    r"|An unexpected crash has occurred"
)
ON_CPU = re.compile(
    r"Switching backend to CPU|no CUDA-capable device|CUDA driver version is insufficient"
)


def commands(job: Job) -> Any:
    """The module with the version's command lines; raises BadJobError."""
    found = {settings.V1: commands_v1, settings.V3: commands_v3}.get(job.version)
    if found is None:
        raise BadJobError("This driver has no commands for version %s." % job.version)
    return found


class App:
    """A copy of the program, in ``folder``."""

    def __init__(self, job: Job, folder: str) -> None:
        self._job, self.folder = job, folder
        self._commands = commands(job)

    @property
    def preview(self) -> str:
        """Path to which upstream writes its newest training preview."""
        return os.path.join(self.folder, str(self._commands.PREVIEW))

    def configure(self, group: str, ini: Dict[str, Dict[str, str]]) -> None:
        """Write ``config/GROUP.ini``; upstream completes it with its defaults when it starts."""
        lines: List[str] = []
        for section, values in ini.items():
            lines += ["[%s]" % section, *("%s = %s" % one for one in values.items()), ""]
        with open(os.path.join(self.folder, "config", group + ".ini"), "w") as stream:
            stream.write("\n".join(lines))

    def command(self, words: Sequence[str]) -> terminal.Command:
        """A command line of faceswap.py, or of tools.py for ``sort``."""
        program = "tools.py" if words[0] == "sort" else "faceswap.py"
        environment = {"MPLBACKEND": "Agg", "FACESWAP_BACKEND": self._backend()}
        environment.update(self._commands.environment(self._job.gpu))
        return terminal.Command([PYTHON, program, *words], cwd=self.folder, env=environment)

    def manner(self, **changes: Any) -> terminal.Manner:
        """Manner of running the version; it answers no question, so any is a failure."""
        return terminal.Manner(terminal=self._commands.TERMINAL, **changes)

    def run(self, words: Sequence[str], what: str) -> List[str]:
        """Run a command that ends by itself; its last lines.

        Raises ToolFailedError when it printed an error, whatever its exit code, or ended with
        another code than 0.
        """
        errors = ErrorLines(ERRORS, also=self.need_gpu)
        ended = terminal.run(self.command(words), self.manner(), errors.read)
        errors.check(what)
        if ended.code != 0:
            raise ToolFailedError("%s failed with exit code %d." % (what, ended.code))
        return ended.tail

    def need_gpu(self, line: str) -> None:
        """Raise ToolFailedError when a line says that it goes on without the GPU asked for."""
        if self._job.gpu and ON_CPU.search(line):
            raise ToolFailedError(gpu.NONE.format(tool="Faceswap"))

    def _backend(self) -> str:
        return "nvidia" if self._job.gpu else "cpu"

    def prepare(self) -> None:
        """Make the copy, and set its backend, which it would ask for on its terminal."""
        shutil.rmtree(self.folder, ignore_errors=True)
        caches: List[str] = []

        def leave_out(place: str, names: List[str]) -> List[str]:
            found = [one for one in names if one in CACHES]
            caches.extend(os.path.join(place, one) for one in found)
            return found + [one for one in names if one in _LEFT_OUT]

        shutil.copytree(TOOL, self.folder, symlinks=True, ignore=leave_out)
        for cache in caches:
            os.symlink(cache, os.path.join(self.folder, os.path.relpath(cache, TOOL)))
        # The image's files may be read-only, and their copies with them.
        for place in (self.folder, os.path.join(self.folder, "config")):
            os.makedirs(place, exist_ok=True)
            os.chmod(place, 0o755)
        with open(os.path.join(self.folder, "config", ".faceswap"), "w") as stream:
            json.dump({"backend": self._backend()}, stream)


@contextlib.contextmanager
def opened(job: Job) -> Iterator[App]:
    """A fresh copy of the program in the job's state, gone afterwards."""
    app = App(job, os.path.join(job.state, "app"))
    app.prepare()
    try:
        yield app
    finally:
        shutil.rmtree(app.folder, ignore_errors=True)
