"""Checks that an image keeps the driver contract: it is started once, with a job that is wrong."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core.base import Frozen
from harness.model.job import ExitCode
from harness.tools.engine import Engine, remove_container
from harness.tools.images.build import UPSTREAM_FILE, read_files
from harness.tools.images.labels import BUILD_PART, PART, BuiltImage, Upstream
from harness.tools.images.lock import checking

_NOBODY = 65534
_START_S = 120
_HOST_FOLDER = "/host"


class Finding(Frozen):
    """One thing looked at in an image."""

    what: str
    sound: bool
    text: str


def check_image(engine: Engine, image: BuiltImage) -> tuple[Finding, ...]:
    """Look at an image's entry point, user, history and files, and give its driver a bad job."""
    config = engine.api.inspect_image(image.id)["Config"]
    with checking():
        return (
            _entry_point(config),
            _user(config),
            _source(image),
            _upstream(engine, image),
            _base(image),
            _weights(image),
            _host_files(engine, image),
            _bad_job(engine, image),
        )


def _entry_point(config: dict[str, Any]) -> Finding:
    entry = config.get("Entrypoint") or []
    text = " ".join(entry) if entry else "none; the Dockerfile needs ENTRYPOINT [...driver.py]"
    return Finding(what="entry point", sound=bool(entry), text=text)


def _user(config: dict[str, Any]) -> Finding:
    user = config.get("User") or ""
    root = user.split(":")[0] in {"", "0", "root"}
    text = "root; the Dockerfile needs USER" if root else user
    return Finding(what="user", sound=not root, text=text)


def _source(image: BuiltImage) -> Finding:
    return Finding(
        what="source", sound=bool(image.revision), text=f"{image.revision} of {image.source}"
    )


def _upstream(engine: Engine, image: BuiltImage) -> Finding:
    """The driver reads the revision there; the label alone may be older than what is inside."""
    (data,) = read_files(engine, image.id, UPSTREAM_FILE)
    wanted = Upstream(source=image.source, revision=image.revision)
    text = "as its label says"
    if data is None:
        text = f"{UPSTREAM_FILE} is missing; the Dockerfile must write it (docs/images.md)"
    else:
        try:
            inside = Upstream.model_validate_json(data)
        except ValidationError:
            text = f'{UPSTREAM_FILE} is not {{"source": ..., "revision": ...}}'
        else:
            if inside != wanted:
                text = f"{UPSTREAM_FILE} names {inside.revision}, its label {wanted.revision}"
    return Finding(what="upstream.json", sound=text == "as its label says", text=text)


def _base(image: BuiltImage) -> Finding:
    text = image.base_digest or f"{image.base}, made on this machine ({image.base_id[:19]})"
    return Finding(what="base", sound=True, text=text)


def _weights(image: BuiltImage) -> Finding:
    """Trusted files are no fault of the image: their publishers name no checksums."""
    text = f"{len(image.weights)} files by recorded checksum"
    if not image.weights and not image.unverified:
        text = "none but what its source and its packages bring"
    if image.unverified:
        names = ", ".join(f"{name} ({digest[:12]})" for digest, _, name in _parts(image.unverified))
        text += (
            f"; {len(image.unverified)} without one, which this build trusted: {names}. The "
            "recipe's README says how to record them, so that the next build must get the same"
        )
    return Finding(what="weights", sound=True, text=text)


def _parts(unverified: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in unverified]


def _host_files(engine: Engine, image: BuiltImage) -> Finding:
    from docker.errors import NotFound

    container = engine.api.create_container(image.id, labels={PART: BUILD_PART})
    try:
        engine.api.get_archive(container["Id"], _HOST_FOLDER)
    except NotFound:
        return Finding(what="files of the building machine", sound=True, text="none")
    finally:
        remove_container(engine.api, container["Id"])
    text = f"{_HOST_FOLDER} is in it; copy it into a stage that is thrown away"
    return Finding(what="files of the building machine", sound=False, text=text)


def _bad_job(engine: Engine, image: BuiltImage) -> Finding:
    """Start the driver as runs do (no network, no root, nothing to write to) on an empty job."""
    with tempfile.TemporaryDirectory(prefix="bench-check-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "job.json").write_text("{}")
        code, said = _start(engine, image, folder)
    lines = said.strip().splitlines()
    last = lines[-1] if lines else "(nothing)"
    sound = code == ExitCode.BAD_JOB and bool(lines)
    wanted = "" if sound else f", not {ExitCode.BAD_JOB}"
    return Finding(what="bad job", sound=sound, text=f"exit code {code}{wanted}; it said: {last}")


def _start(engine: Engine, image: BuiltImage, folder: Path) -> tuple[int | str, str]:
    from docker.errors import DockerException

    user = os.getuid() or _NOBODY
    host = engine.api.create_host_config(
        binds={str(folder): {"bind": "/job", "mode": "ro"}},
        network_mode="none",
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        init=True,
    )
    container = engine.client.containers.get(
        engine.api.create_container(
            image.id,
            command=["/job/job.json"],
            user=f"{user}:{user}",
            environment={"HOME": "/tmp"},
            labels={PART: BUILD_PART},
            host_config=host,
        )["Id"]
    )
    try:
        container.start()
        code = container.wait(timeout=_START_S)["StatusCode"]
        return code, container.logs(stdout=False, stderr=True).decode(errors="replace")
    except (DockerException, OSError) as error:
        return "none", str(error)
    finally:
        remove_container(engine.api, container.id)
