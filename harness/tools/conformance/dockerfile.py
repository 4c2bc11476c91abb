"""Reads as much of a Dockerfile as conformance needs: what its last stage copies, runs as and
starts.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterable, Iterator

from harness.core.base import Frozen

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)


class Dockerfile(Frozen):
    """The last stage of a Dockerfile: the image that is left."""

    copied: tuple[str, ...]
    """Sources of COPY out of the build's context, as written."""
    user: str
    entry_point: str

    def files(self, context: Iterable[str]) -> tuple[str, ...]:
        """Files of the context that are in the image by COPY."""
        copied = (name for name in context if any(_copies(source, name) for source in self.copied))
        return tuple(sorted(copied))


def _copies(source: str, name: str) -> bool:
    """True when a COPY of ``source`` copies the file: by name, by pattern, or in a folder."""
    plain = source.removeprefix("./").rstrip("/")
    if plain in ("", "."):
        return True
    return name.startswith(f"{plain}/") or fnmatch.fnmatchcase(name, plain)


def read_dockerfile(text: str) -> Dockerfile:
    """The last stage of a Dockerfile."""
    copied: list[str] = []
    user = entry_point = ""
    for word, rest in _instructions(text):
        if word == "FROM":
            copied, user, entry_point = [], "", ""
        elif word in ("COPY", "ADD") and "--from=" not in rest:
            copied += _sources(rest)
        elif word == "USER":
            user = rest.strip()
        elif word == "ENTRYPOINT":
            entry_point = rest.strip()
    return Dockerfile(copied=tuple(copied), user=user, entry_point=entry_point)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    for line in whole.splitlines():
        if match := _INSTRUCTION.fullmatch(line):
            yield match[1].upper(), match[2]


def _sources(rest: str) -> list[str]:
    plain = re.sub(r"^(\s*--\S+)+\s*", "", rest)
    if plain.lstrip().startswith("["):
        try:
            words = [str(word) for word in json.loads(plain)]
        except ValueError:
            return []
    else:
        words = shlex.split(plain)
    return words[:-1]
