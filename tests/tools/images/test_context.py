"""Build contexts: the same bytes for the same recipe, and this machine's own needs."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from harness.tools.images.context import build_context, host_files, pip_settings, proxy_arguments
from tests.tools.images.conftest import COMMIT, TinyRecipe


def _unpack(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        streams = {member.name: archive.extractfile(member) for member in archive}
        return {name: stream.read() for name, stream in streams.items() if stream is not None}


def test_the_same_recipe_gives_the_same_bytes_so_that_the_cache_holds(tiny: TinyRecipe) -> None:
    first = build_context(tiny.read(), {"environment.sh": b""})
    (tiny.folder / "driver.py").touch()
    assert build_context(tiny.read(), {"environment.sh": b""}) == first


def test_a_context_tells_the_version_that_is_built(tiny: TinyRecipe) -> None:
    files = _unpack(build_context(tiny.read(), {"environment.sh": b"# nothing\n"}))
    about = json.loads(files["version.json"])
    assert (about["version"], about["commit"], about["weights"]) == ("1", COMMIT, [])
    assert files["host/environment.sh"] == b"# nothing\n"


def test_the_machines_certificates_reach_a_build(tmp_path: Path) -> None:
    bundle = tmp_path / "corporate.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    files = host_files({"SSL_CERT_FILE": str(bundle)})
    assert files["ca-certificates.crt"] == bundle.read_bytes()
    for variable in (b"SSL_CERT_FILE", b"PIP_CERT", b"GIT_SSL_CAINFO"):
        assert b"export %s=/host/ca-certificates.crt" % variable in files["environment.sh"]


def test_proxies_are_passed_in_both_spellings_and_nothing_else() -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:1", "no_proxy": "localhost", "HOME": "/root"}
    assert proxy_arguments(environment) == {
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "no_proxy": "localhost",
    }


def test_pip_settings_that_hold_only_on_this_machine_stay_here() -> None:
    listing = (
        "global.index-url='https://mirror.example/simple'\n"
        "global.extra-index-url='file:///srv/wheels https://more.example/simple'\n"
        "global.find-links='/srv/wheels'\n"
        "global.cert='/etc/corporate.pem'\n"
    )
    assert pip_settings(listing).decode().splitlines() == [
        "[global]",
        "index-url = https://mirror.example/simple",
        "extra-index-url = https://more.example/simple",
    ]
