"""Build context for the engine: the recipe, and what this machine needs to download.

Machines behind a proxy have certificates and package mirrors of their own. They reach a build as
the folder ``host/`` of its context, which a Dockerfile copies into a stage that is thrown away, so
none of it is left in an image. Proxies are passed as the build arguments that engines know and
keep out of an image's history.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.core.hashing import canonical_json
from harness.core.interpreters import SAFE_PYTHON
from harness.tools.images.recipe import Recipe

_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
)
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
_PIP_SETTING = re.compile(
    r"^(?:global|install|:env:)\.(index-url|extra-index-url|trusted-host|default-timeout|proxy)"
    r"='(.*)'$"
)


def proxy_arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxies of the environment, as build arguments that no engine records."""
    names = [*_PROXIES, *(name.lower() for name in _PROXIES)]
    return {name: environment[name] for name in names if environment.get(name)}


def build_context(recipe: Recipe, host: Mapping[str, bytes]) -> bytes:
    """The context as a tar: the recipe's files, ``version.json``, and ``host/``.

    The same content gives the same bytes: what an engine has cached stays valid.
    """
    files = {name: path.read_bytes() for name, path in recipe.files.items()}
    about = recipe.entry.model_dump(mode="json", include={"upstream", "commit", "weights"})
    files["version.json"] = canonical_json({"version": recipe.version, **about})
    files |= {f"host/{name}": data for name, data in host.items()}
    return pack(files)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A tar of files that anyone may read, without times or owners."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def host_files(environment: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """``host/``: ``environment.sh``, to be sourced by a RUN, and the files it points to."""
    environment = os.environ if environment is None else environment
    files: dict[str, bytes] = {"pip.conf": pip_settings(pip_listing())}
    exports = ["PIP_CONFIG_FILE=/host/pip.conf"]
    bundle = _bundle(environment)
    if bundle is not None:
        files["ca-certificates.crt"] = bundle.read_bytes()
        files["apt.conf"] = b'Acquire::https::CAInfo "/host/ca-certificates.crt";\n'
        names = (*_BUNDLE_VARIABLES, "GIT_SSL_CAINFO")
        exports += [f"{name}=/host/ca-certificates.crt" for name in names]
        exports += ["APT_CONFIG=/host/apt.conf"]
    files["environment.sh"] = "".join(f"export {line}\n" for line in exports).encode()
    return files


def _bundle(environment: Mapping[str, str]) -> Path | None:
    named = [Path(environment[name]) for name in _BUNDLE_VARIABLES if environment.get(name)]
    return next((path for path in (*named, *_BUNDLES) if path.is_file()), None)


@cache
def pip_listing() -> str:
    """Output of `pip config list` in this process: asked once, as pip takes half a second."""
    command = [*SAFE_PYTHON, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


def pip_settings(listing: str) -> bytes:
    """pip's settings that hold inside a build too; local folders do not."""
    lines = ["[global]"]
    for line in listing.splitlines():
        if setting := _PIP_SETTING.match(line):
            values = [value for value in setting[2].split() if not value.startswith("file:")]
            if values:
                lines.append(f"{setting[1]} = {' '.join(values)}")
    return ("\n".join(lines) + "\n").encode()
