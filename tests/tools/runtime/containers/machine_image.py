"""A small image without a registry: this machine's own Python, and the stand-in driver."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
REPOSITORY = "deid-bench-test-runtime"
PYTHON = "/opt/python"
CHANGES = (
    f'ENTRYPOINT ["{PYTHON}/bin/python3", "-B", "/opt/bench/driver.py"]',
    "VOLUME /data",
    "ENV NVIDIA_VISIBLE_DEVICES=all",
)
_LEFT_OUT = re.compile(
    # Half of the library: what no driver here imports costs every new engine seconds.
    r"tests?|idlelib|tkinter|ensurepip|site-packages|lib2to3|asyncio|ctypes|distutils|email|html"
    r"|http|multiprocessing|pydoc_data|sqlite3|turtledemo|unittest|wsgiref|xml|xmlrpc|config-.*"
    r"|.*\.opt-[12]\.pyc|(_test|_codecs_|_ctypes|_curses|_decimal|_elementtree|_hashlib|_sqlite3"
    r"|_ssl|_tkinter|_xx|pyexpat).*\.so"
)


def machine_image(client: Any) -> str:
    """The digest of the image, made once for each Python and driver."""
    driver = (HERE / "stand_in_driver.py").read_bytes()
    library = (ROOT / "containers" / "common" / "bench_driver.py").read_bytes()
    mark = hashlib.sha256(
        repr((sys.version, CHANGES, _LEFT_OUT.pattern)).encode() + driver + library
    ).hexdigest()[:12]
    name = f"{REPOSITORY}:{mark}"
    if not client.images.list(name=name):
        data = _archive({"driver.py": driver, "containers/common/bench_driver.py": library})
        answer = client.api.import_image_from_data(
            data, repository=REPOSITORY, tag=mark, changes=list(CHANGES)
        )
        # Podman gives its own tag.
        client.api.tag(json.loads(answer.splitlines()[-1])["status"], REPOSITORY, mark)
    digest: str = client.images.list(name=name)[0].id
    return digest


def _archive(scripts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for folder in (
            "tmp",
            "etc",
            "run",
            "var/tmp",
            "data",
            "scratch",
            "proc",
            "dev",
            "sys",
            "job",
            "in",
        ):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        _add_python(archive)
        for name, content in scripts.items():
            member = tarfile.TarInfo(f"opt/bench/{name}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _add_python(archive: tarfile.TarFile) -> None:
    program = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    modules = sorted(
        path
        for path in (library / "lib-dynload").glob("*.so")
        if not _LEFT_OUT.fullmatch(path.name)
    )
    archive.add(program, f"{PYTHON}/bin/python3", filter=_readable)
    archive.add(library, f"{PYTHON}/lib/{library.name}", filter=_readable)
    for path in sorted(_linked([program, *modules])):
        archive.add(Path(path).resolve(), path, filter=_readable)


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if any(_LEFT_OUT.fullmatch(part) for part in Path(member.name).parts):
        return None
    member.uid = member.gid = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _linked(programs: list[Path]) -> set[str]:
    """The shared libraries that the programs load, by the paths at which they look for them."""
    done = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=True)
    return set(re.findall(r"(/\S+) \(0x", done.stdout))
