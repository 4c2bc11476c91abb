"""Images built for real on this machine's engine, found again, checked and removed."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app
from harness.core.errors import UnfitMachineError
from harness.tools.engine import Engine
from harness.tools.images.build import build_image, read_files
from harness.tools.images.check import check_image
from harness.tools.images.clean import images_to_remove, remove_images
from harness.tools.images.ensure import ensure_image
from harness.tools.images.find import find_image, list_images, state_of
from harness.tools.images.labels import BUILD_PART, PART, read_image
from tests.tools.images.conftest import COMMIT, DOCKERFILE, DRIVER, UPSTREAM, TinyRecipe
from tests.tools.runtime.containers.containers_bench import wait_for

FETCHING = """COPY version.json common/fetch_weights.py /tmp/
RUN python3 /tmp/fetch_weights.py /tmp/version.json
"""


def _unheard(line: str) -> None:
    pass


def _nothing_is_left(engine: Engine) -> bool:
    """True when no container of a build or a check is there; a busy engine removes them late."""
    label = {"label": f"{PART}={BUILD_PART}"}
    return wait_for(lambda: engine.api.containers(all=True, filters=label) == [])


def _failure(engine: Engine, tiny: TinyRecipe, base: str | None = None) -> UnfitMachineError:
    with pytest.raises(UnfitMachineError) as failed:
        build_image(engine, tiny.read(), base=base, say=_unheard)
    assert not engine.client.images.list(f"deid-bench/{tiny.tool.name}")
    assert _nothing_is_left(engine)
    return failed.value


def test_an_image_tells_what_it_was_built_from(engine: Engine, tidy: TinyRecipe) -> None:
    heard: list[str] = []
    image = build_image(engine, tidy.read(), say=heard.append)
    assert (image.tool, image.version, image.revision) == (tidy.tool.name, "1", COMMIT)
    assert image.source == UPSTREAM
    assert image.recipe == tidy.read().hash
    assert image.base == "deid-bench/base:bookworm"
    assert image.base_id == engine.client.images.get(image.base).id
    assert image.redistribute
    assert any(line.startswith("Step 2/") for line in heard)
    assert find_image(engine, tidy.read()) == image
    heard.clear()
    assert build_image(engine, tidy.read(), say=heard.append) == image
    assert heard == [f"{image.tags[0]} is there already."]


def test_a_changed_recipe_makes_its_image_stale_until_it_is_built_again(
    engine: Engine, tidy: TinyRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    with pytest.raises(UnfitMachineError, match="This machine has no image") as missing:
        find_image(engine, tidy.read())
    assert missing.value.hint == f"Build it: `bench images build {tidy.tool.name}@1`."
    first = ensure_image(engine, tidy.tool, "1", say=_unheard)
    tidy.write("driver.py", DRIVER + "# changed\n")
    with pytest.raises(UnfitMachineError, match="of another revision of its recipe"):
        find_image(engine, tidy.read())
    second = ensure_image(engine, tidy.tool, "1", say=_unheard)
    assert second.id != first.id
    hashes = {tidy.read().name: tidy.read().hash}
    assert [state_of(one, hashes) for one in list_images(engine, tidy.tool.name)] == [
        "current",
        "stale",
    ]
    removed = remove_images(engine, [i for i in images_to_remove(engine, hashes) if i == first])
    assert removed.images == (f"{tidy.tool.name}@1",)
    assert list_images(engine, tidy.tool.name) == (second,)


def test_a_build_that_fails_halfway_shows_its_last_lines_and_leaves_nothing(
    engine: Engine, tidy: TinyRecipe
) -> None:
    broken = DOCKERFILE.replace("USER", "RUN echo almost there && exit 3\nUSER")
    tidy.write("Dockerfile", broken)
    error = _failure(engine, tidy)
    assert "almost there" in error.message
    assert "non-zero code: 3" in error.message
    assert "Nothing was tagged" in (error.hint or "")


def test_a_dockerfile_that_is_none_is_refused_with_the_engines_words(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.write("Dockerfile", "ARG BASE\nARG GREETING\nFROM ${BASE}\nPOUR tea\n")
    assert "POUR" in _failure(engine, tidy).message


def test_a_build_that_hides_its_source_is_refused(engine: Engine, tidy: TinyRecipe) -> None:
    tidy.write("Dockerfile", DOCKERFILE.replace("upstream.json", "other.json"))
    assert "left no /opt/bench/upstream.json" in _failure(engine, tidy).message


def test_a_build_that_checked_out_another_commit_is_refused(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.write("Dockerfile", DOCKERFILE.replace('e["COMMIT"]', '"f" * 40'))
    message = _failure(engine, tidy).message
    assert f"checked out '{'f' * 40}'" in message
    assert COMMIT in message


def test_without_a_registry_the_way_out_is_named(engine: Engine, tidy: TinyRecipe) -> None:
    # Nobody listens at this registry.
    tidy.versions(base="127.0.0.1:9/no/base:1", bases={"debian": "deid-bench/base:bookworm"})
    error = _failure(engine, tidy)
    assert "127.0.0.1:9/no/base:1" in error.message
    assert "no registry can be reached" in error.message
    assert "containers/base/make.sh" in (error.hint or "")
    assert f"bench images build {tidy.tool.name}@1 --base debian" in (error.hint or "")
    assert build_image(engine, tidy.read(), base="debian", say=_unheard).base.endswith("bookworm")


def test_a_disk_that_is_too_full_is_known_before_the_build(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.versions(size_bytes=1 << 60)
    assert "too full for building" in _failure(engine, tidy).message


def test_nothing_of_the_building_machine_is_in_an_image_that_throws_its_first_stage_away(
    engine: Engine, tidy: TinyRecipe
) -> None:
    first = "FROM ${BASE} AS build\nLABEL deid-bench.image.part=build\nCOPY host/ /host/\n"
    first += "RUN . /host/environment.sh && env | grep PIP_CONFIG_FILE >/told\n"
    tidy.write(
        "Dockerfile",
        DOCKERFILE.replace("FROM", f"{first}FROM").replace(
            "USER", "COPY --from=build /told /told\nUSER"
        ),
    )
    image = build_image(engine, tidy.read(), say=_unheard)
    assert [one for one in check_image(engine, image) if not one.sound] == []
    assert "host" not in json.dumps(engine.client.images.get(image.id).history())
    removed = remove_images(engine, [image])
    assert removed.leftovers > 0
    assert not engine.client.images.list(
        filters={"dangling": True, "label": f"{PART}={BUILD_PART}"}
    )


@pytest.mark.parametrize(
    ("driver", "dockerfile", "faults"),
    [
        (
            "print('all is well')",
            DOCKERFILE.replace("USER 65534:65534\n", ""),
            {"bad job": "exit code 0, not 64", "user": "root"},
        ),
        ("raise SystemExit(64)", DOCKERFILE, {"bad job": "(nothing)"}),
        (
            DRIVER,
            DOCKERFILE.replace("ENTRYPOINT", "CMD").replace("USER", "COPY host/ /host/\nUSER"),
            {"entry point": "none", "files of the building machine": "/host is in it"},
        ),
    ],
    ids=["deaf-and-root", "mute", "never-started-and-with-our-files"],
)
def test_an_image_that_breaks_the_contract_fails_its_check(
    engine: Engine, tidy: TinyRecipe, driver: str, dockerfile: str, faults: dict[str, str]
) -> None:
    tidy.write("driver.py", driver)
    tidy.write("Dockerfile", dockerfile)
    image = build_image(engine, tidy.read(), say=_unheard)
    found = {one.what: one for one in check_image(engine, image)}
    for what, words in faults.items():
        assert not found[what].sound
        assert words in found[what].text
    assert _nothing_is_left(engine)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("rm /opt/bench/upstream.json", "upstream.json is missing"),
        ("echo '{}' >/opt/bench/upstream.json", "is not {"),
        ("sed -i s/0123/9999/ /opt/bench/upstream.json", "names 9999"),
    ],
)
def test_an_image_that_lost_the_record_of_its_source_fails_its_check(
    engine: Engine, tidy: TinyRecipe, change: str, words: str
) -> None:
    """Its labels, which a layer inherits, say that all is well."""
    built = build_image(engine, tidy.read(), say=_unheard)
    text = f"FROM {built.id}\nUSER root\nRUN {change}\nUSER 65534:65534\n"
    image, _ = engine.client.images.build(
        fileobj=io.BytesIO(text.encode()), tag=f"deid-bench/{tidy.tool.name}:spoilt", rm=True
    )
    spoilt = read_image(image.attrs)
    assert spoilt is not None
    (found,) = [one for one in check_image(engine, spoilt) if not one.sound]
    assert found.what == "upstream.json"
    assert words in found.text


@pytest.fixture
def weights_server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/model.bin"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_weights_are_in_the_image_and_on_its_label(
    engine: Engine, tidy: TinyRecipe, weights_server: str
) -> None:
    checksum = hashlib.sha256(b"weights").hexdigest()
    tidy.write("Dockerfile", DOCKERFILE.replace("USER", f"{FETCHING}USER"))
    item = {"url": weights_server, "path": "/opt/model/m.bin", "licence": "CC0-1.0"}
    tidy.versions(weights=[{**item, "sha256": checksum}], redistribute=False)
    image = build_image(engine, tidy.read(), say=_unheard)
    assert (image.weights, image.redistribute) == ((checksum,), False)
    assert read_files(engine, image.id, "/opt/model/m.bin") == (b"weights",)


def test_weights_that_changed_stop_the_build(
    engine: Engine, tidy: TinyRecipe, weights_server: str
) -> None:
    tidy.write("Dockerfile", DOCKERFILE.replace("USER", f"{FETCHING}USER"))
    item = {"url": weights_server, "path": "/opt/m.bin", "licence": "CC0-1.0", "sha256": "0" * 64}
    tidy.versions(weights=[item])
    assert f"but {'0' * 64} is recorded" in _failure(engine, tidy).message


def _bench(*args: str, home: Path) -> Result:
    return CliRunner().invoke(app, ["images", *args], env={"BENCH_HOME": str(home)})


@pytest.mark.usefixtures("deface_image")
def test_the_command_builds_lists_and_checks_deface(tmp_path: Path) -> None:
    built = _bench("build", "deface", "--base", "debian", home=tmp_path)
    assert (built.exit_code, built.stdout.split()[0]) == (0, "deface@1.5.0"), built.stderr
    listed = json.loads(_bench("list", "--json", home=tmp_path).stdout)
    mine = [one for one in listed["images"] if one["id"] in built.stdout]
    assert [(one["state"], one["revision"]) for one in mine] == [("current", "1.5.0")]
    assert "deface@1.5.0" not in listed["missing"]
    checked = _bench("check", "deface", home=tmp_path)
    assert "exit code 64" in checked.stdout
    unsure = _bench("clean", home=tmp_path)
    assert "Add --yes" in unsure.stdout
    assert json.loads(_bench("list", "--json", home=tmp_path).stdout) == listed


def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    for asked, words in {
        "defaec": "Did you mean 'deface'",
        "deface@9": "no version of deface '9'",
        "blur": "needs no image",
    }.items():
        done = _bench("build", asked, home=tmp_path)
        assert done.exit_code == 2
        assert words in done.stderr
