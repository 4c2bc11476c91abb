"""`bench compare` on stores as they lie on a disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import StoreError
from harness.core.hashing import file_sha256
from harness.model.cell import Status
from harness.model.compare import CompareResult
from harness.model.job import Limits
from harness.model.score import Comparison
from tests.results.compare.made_up import Home, Numbers, Study, make_score, make_spec

ACTORS = range(1, 9)


def fill(home: Home, version: str, by: float = 0.0, **spec: Any) -> None:
    """Eight actors of faceswap; ``by`` is added to a distance that differs from actor to actor."""
    for actor in ACTORS:
        noise = 0.001 * ((actor * int(version) * 7) % 5)
        numbers = Numbers(sw_or=0.7 + 0.01 * actor + by + noise)
        home.add(make_spec("faceswap", actor, "d", version=version, **spec), numbers)


@pytest.fixture
def regressed(home: Home) -> Home:
    fill(home, "1")
    fill(home, "2", -0.05)
    return home


def metric(output: str, key: str) -> dict[str, Any]:
    return next(one for one in json.loads(output)["metrics"] if one["key"] == key)


def test_a_regression_ends_with_3_and_says_where_and_how_large(regressed: Home) -> None:
    shown = regressed("faceswap@1", "faceswap@2", code=3).stdout
    assert "faceswap@2:default against faceswap@1:default: regressed in SW-OR distance." in shown
    assert "beyond the margin of 0.01 and significant" in shown
    assert re.search(r"SW-OR distance +0\.74\d +0\.69\d +-0\.0\d\d +-0\.0\d+ to -0\.0\d+", shown)
    assert "8 of 8 cells scored" in shown


def test_the_other_way_round_is_an_improvement_and_ends_with_0(regressed: Home) -> None:
    assert "improved in SW-OR distance" in regressed("faceswap@2", "faceswap@1").stdout


def test_json_is_the_whole_result(regressed: Home) -> None:
    done = regressed("faceswap@1", "faceswap@2", "--json", code=3)
    result = CompareResult.model_validate_json(done.stdout)
    assert (result.verdict.value, result.pairs, result.actors) == ("regressed", 8, tuple(ACTORS))
    one = metric(done.stdout, "sw_or")
    assert one["comparison"]["interval"]["high"] < -0.01
    assert one["comparison"]["losses"] == 8
    assert one["p_adjusted"] == pytest.approx(6 / 128)


def test_markdown_is_a_table_with_the_regression_in_bold(regressed: Home) -> None:
    text = regressed("faceswap@1", "faceswap@2", "--markdown", code=3).stdout
    lines = text.splitlines()
    assert lines[0] == "### bench compare: regressed"
    rows = [line for line in lines if line.startswith("|")]
    assert len({row.count(" | ") for row in rows}) == 1
    assert sum("**regressed**" in row for row in rows) == 1
    assert "- Baseline faceswap@1:default: 8 of 8 cells scored." in lines


def test_markdown_and_json_together_are_refused(regressed: Home) -> None:
    regressed("faceswap@1", "faceswap@2", "--markdown", "--json", code=2)


def test_the_page_stands_alone_and_says_the_same(regressed: Home, tmp_path: Path) -> None:
    target = tmp_path / "page"
    shown = regressed("faceswap@1", "faceswap@2", "--html", str(target), code=3).stdout
    html = (target / "index.html").read_text()
    assert f"Page: {target / 'index.html'}" in shown
    assert '<p class="verdict bad">Regressed</p>' in html
    assert "default-src &#39;none&#39;" in html
    assert not re.findall(r'(?:src|href)="(?!#|data:)', html)
    assert html.count("<svg") == 6
    assert len(html) < 100_000
    for level in re.findall(r"<h(\d)", html):
        assert level in "12"


def test_a_page_that_cannot_be_written_says_where(regressed: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = regressed("faceswap@1", "faceswap@2", "--html", str(tmp_path / "file" / "x"), code=4)
    assert "cannot be written to" in done.output
    assert StoreError.exit_code == 4


def test_only_what_both_sides_have_is_compared_and_both_coverages_are_told(home: Home) -> None:
    fill(home, "1")
    for actor in (1, 2, 3):
        home.add(make_spec("faceswap", actor, "d", version="2"), Numbers())
    home.add(make_spec("faceswap", 4, "d", version="2"), status=Status.TIMEOUT)
    home.add(make_spec("faceswap", 5, "d", version="2"))
    home.add(make_spec("faceswap", 6, "other", version="2"), Numbers())
    done = home("faceswap@1", "faceswap@2", "--json")
    result = CompareResult.model_validate_json(done.stdout)
    assert result.actors == (1, 2, 3)
    assert (result.baseline.scored, result.candidate.scored) == (8, 4)
    assert len(result.candidate.failed) == len(result.candidate.unscored) == 1
    text = " ".join(home("faceswap@1", "faceswap@2").stdout.split())
    assert "1 without a result: faceswap-2-default-actor04" in text
    assert "1 not scored with this protocol (`bench score`): faceswap-2-default-actor05" in text


def test_a_video_whose_hash_no_longer_fits_is_reported_and_not_used(regressed: Home) -> None:
    spec = make_spec("faceswap", 3, "d", version="2")
    path = regressed.store.swapped_path(spec)
    path.write_bytes(bytes(reversed(path.read_bytes())))
    done = regressed("faceswap@1", "faceswap@2", "--actor", "1-8", "--json", code=3)
    result = CompareResult.model_validate_json(done.stdout)
    assert result.candidate.damaged == (spec.slug,)
    assert 3 not in result.actors
    text = regressed("faceswap@1", "faceswap@2", code=3).stdout
    assert "1 whose video or original is not the one that was published, so not used" in text


def test_a_cell_whose_original_was_changed_is_reported_and_not_used(regressed: Home) -> None:
    spec = make_spec("faceswap", 3, "d", version="2")
    original = regressed.home / "media" / f"{spec.actor.test.sha256}.mp4"
    original.parent.mkdir()
    original.write_bytes(b"test 3")
    whole = regressed("faceswap@1", "faceswap@2", "--json", code=3)
    assert 3 in CompareResult.model_validate_json(whole.stdout).actors
    original.write_bytes(b"TEST 3")
    done = regressed("faceswap@1", "faceswap@2", "--json", code=3)
    result = CompareResult.model_validate_json(done.stdout)
    assert result.candidate.damaged == (spec.slug,)
    assert len(result.baseline.damaged) == 1, "the baseline has the same original"
    assert 3 not in result.actors


def test_an_original_is_hashed_once_for_all_its_cells(
    regressed: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.core import hashing as canonical

    original = regressed.home / "media" / f"{make_spec(actor=3).actor.test.sha256}.mp4"
    original.parent.mkdir()
    original.write_bytes(b"test 3")
    hashed: list[Path] = []

    def counted(path: Path) -> str:
        hashed.append(path)
        return file_sha256(path)

    monkeypatch.setattr(canonical, "file_sha256", counted)
    regressed("faceswap@1", "faceswap@2", code=3)
    assert hashed.count(original) == 1


def test_a_score_of_another_video_is_not_used(home: Home) -> None:
    fill(home, "1")
    fill(home, "2")
    spec = make_spec("faceswap", 3, "d", version="2")
    stale = make_score(spec, Numbers(), inputs={"scoring": "2", "swapped": "0" * 64})
    path = home.home / "scores" / spec.id / "thesis.json"
    path.write_text(stale.model_dump_json())
    done = home("faceswap@1", "faceswap@2", "--json")
    assert json.loads(done.stdout)["candidate"]["unscored"] == [spec.slug]


def test_results_of_two_machines_are_compared(regressed: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    for actor in ACTORS:
        other.add(make_spec("faceswap", actor, "d", version="1"), Numbers(sw_or=0.5), cpu="fast")
    done = regressed("faceswap@1", "faceswap@1", "--candidate-home", str(other.home), code=3)
    assert "The sides ran on different machines (c; fast)" in done.stdout
    regressed("faceswap@1", "faceswap@1", "--baseline-home", str(other.home))


def test_a_folder_that_is_no_store_is_refused(regressed: Home, tmp_path: Path) -> None:
    done = regressed("faceswap", "faceswap", "--candidate-home", str(tmp_path / "no"), code=2)
    assert "is no store" in done.output


def differ(home: Home, sentence: str, aspect: str, code: int = 2) -> None:
    done = home("faceswap@1", "faceswap@2", code=code)
    assert f"The sides differ in {aspect}." in done.stdout
    assert sentence in " ".join(done.stdout.split())
    accepted = home("faceswap@1", "faceswap@2", "--accept", aspect).stdout
    assert f"Accepted difference in {aspect}: " in accepted


def test_another_test_video_is_not_comparable(home: Home) -> None:
    fill(home, "1")
    fill(home, "2", video="another clip")
    differ(home, "The test video of actor 1 with donor d is not the same file", "dataset")


def test_other_limits_are_not_comparable(home: Home) -> None:
    fill(home, "1")
    fill(home, "2", limits=Limits(iterations=100))
    differ(home, "The limit iterations is none in the baseline and 100 in the candi", "limits")


def test_another_scorer_is_not_comparable(home: Home) -> None:
    for version, scoring in (("1", "2"), ("2", "3")):
        for actor in ACTORS:
            spec = make_spec("faceswap", actor, "d", version=version)
            home.add(spec, score=make_score(spec, Numbers(), inputs={"scoring": scoring}))
    differ(home, "The scorer's part 'scoring' is 2 in the baseline and 3 in the candi", "scorer")


def test_hardware_counts_where_the_clock_ended_a_training(home: Home) -> None:
    for version, cpu in (("1", "slow"), ("2", "fast")):
        for actor in ACTORS:
            spec = make_spec("faceswap", actor, "d", version=version)
            home.add(spec, Numbers(), cpu=cpu, trained=True)
    differ(home, "the faster machine trains more", "hardware")


def test_hardware_does_not_count_where_iterations_are_set(home: Home) -> None:
    for version, cpu in (("1", "slow"), ("2", "fast")):
        for actor in ACTORS:
            limits = Limits(iterations=10)
            spec = make_spec("faceswap", actor, "d", version=version, limits=limits)
            home.add(spec, Numbers(), cpu=cpu, trained=True)
    assert "different machines" in home("faceswap@1", "faceswap@2").stdout


def test_an_unknown_tool_gets_the_nearest_and_what_there_is(regressed: Home) -> None:
    done = regressed("faceswp@1", "faceswap@2", code=2)
    assert "Did you mean 'faceswap@1'?" in done.output
    assert "There are: faceswap@1:default, faceswap@2:default." in done.output


def test_a_selector_that_fits_several_variants_lists_them(regressed: Home) -> None:
    done = regressed("faceswap", "faceswap@2", code=2)
    assert "'faceswap' fits 2 variants" in done.output
    assert "Name one of them, as in: faceswap@1:default" in done.output


def test_settings_tell_two_variants_of_a_config_apart(home: Home) -> None:
    for strength in (0.1, 0.2):
        for actor in ACTORS:
            spec = make_spec("blur", actor, settings={"strength": strength, "coverage": 1.15})
            home.add(spec, Numbers(sw_or=0.5 + strength + actor / 1000))
    done = home("blur", "blur,strength=0.2", code=2)
    assert "blur@1:default,strength=0.1, blur@1:default,strength=0.2" in done.output
    shown = home("blur,strength=0.1", "blur,strength=0.2").stdout
    assert shown.startswith("blur@1:default,strength=0.2 against blur@1:default,strength=0.1")


@pytest.mark.parametrize("text", ["", "@1", "blur@", "blur:", "blur,strength", "blur,=1"])
def test_a_text_that_is_no_selector_is_refused_with_the_syntax(home: Home, text: str) -> None:
    assert "tool[@version][:config]" in home(text, "blur", code=2).output


def test_the_same_cells_on_both_sides_are_refused(regressed: Home) -> None:
    assert "are the same cells" in regressed("faceswap@1", "faceswap@1:default", code=2).output


def test_an_empty_store_has_nothing_to_compare(home: Home) -> None:
    assert "nothing to compare" in home("a", "b", code=2).output


def test_unscored_cells_name_the_command_that_scores_them(home: Home) -> None:
    fill(home, "1")
    home.add(make_spec("faceswap", 1, "d", version="2"))
    done = home("faceswap@1", "faceswap@2", code=2)
    assert "the baseline has thesis, the candidate no scores at all" in done.output
    assert "bench score" in done.output


def test_no_actor_in_common_says_whom_each_side_has(home: Home) -> None:
    home.add(make_spec("faceswap", 1, "a", version="1"), Numbers())
    home.add(make_spec("faceswap", 2, "b", version="2"), Numbers())
    output = home("faceswap@1", "faceswap@2", code=2).output
    assert "the baseline has scores of actors 1 with a, the candidate has" in output


def test_one_actor_in_common_is_shown_without_a_verdict_on_it(home: Home) -> None:
    home.add(make_spec("faceswap", 1, "d", version="1"), Numbers(sw_or=0.7))
    home.add(make_spec("faceswap", 1, "d", version="2"), Numbers(sw_or=0.5))
    shown = home("faceswap@1", "faceswap@2").stdout
    assert "Only one actor in common" in shown
    assert "-0.200" in shown


def test_actors_that_no_side_has_are_told(regressed: Home) -> None:
    assert (
        "none of these actors"
        in regressed("faceswap@1", "faceswap@2", "--actor", "40", code=2).output
    )


@pytest.mark.parametrize("margin", ["sw_or=wide", "sw_or=0", "sw_or", "swor=1"])
def test_a_margin_that_is_none_is_refused(regressed: Home, margin: str) -> None:
    regressed("faceswap@1", "faceswap@2", "--margin", margin, code=2)


def test_a_margin_decides_whether_it_is_a_regression(regressed: Home) -> None:
    regressed("faceswap@1", "faceswap@2", "--margin", "sw_or=0.2", code=0)


def test_the_protocol_both_sides_have_is_used_and_others_are_told(regressed: Home) -> None:
    for version in ("1", "2"):
        spec = make_spec("faceswap", 1, "d", version=version)
        score = make_score(spec, Numbers(), protocol="thesis-60")
        path = regressed.home / "scores" / spec.id / "thesis-60.json"
        path.write_text(score.model_dump_json())
    assert "also scored with thesis-60" in regressed("faceswap@1", "faceswap@2", code=3).stdout
    assert (
        "Protocol thesis-60, 1 actor, 1 pair"
        in regressed("faceswap@1", "faceswap@2", "--frames", "60").stdout
    )
    assert (
        "is not scored on both sides"
        in regressed("faceswap@1", "faceswap@2", "--frames", "99", code=2).output
    )


def test_cells_of_two_datasets_must_be_told_apart(home: Home) -> None:
    for dataset in ("one", "two"):
        fill(home, "1", dataset=dataset)
        fill(home, "2", dataset=dataset)
    output = home("faceswap@1", "faceswap@2", code=2).output
    assert "was run on 2 datasets: one, two" in output
    home("faceswap@1", "faceswap@2", "--dataset", "two")


def test_of_two_cells_of_one_actor_the_newer_counts_and_the_other_is_told(home: Home) -> None:
    fill(home, "1")
    fill(home, "2", -0.05, limits=Limits(output_bytes=10**9))
    fill(home, "2")
    result = CompareResult.model_validate_json(home("faceswap@1", "faceswap@2", "--json").stdout)
    assert len(result.candidate.replaced) == 8
    assert result.candidate.cells == 16
    assert result.pairs == 8


def test_a_store_of_80_cells_with_a_shift_of_3_percent_is_found(home: Home) -> None:
    study = Study(0)
    for cell in [*study.side("1"), *study.side("2", -0.021)]:
        swapped = cell.score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
        home.add(cell.spec, Numbers(sw_or=swapped.mean))
    shown = home("faceswap@1", "faceswap@2", code=3).stdout
    assert "10 actors, 40 pairs" in shown


def test_the_table_fits_a_terminal_of_80_columns(regressed: Home) -> None:
    """It was 105 wide, so that every line of it was broken by the terminal."""
    shown = regressed("faceswap@1", "faceswap@2", code=3, columns=80).stdout
    assert max(map(len, shown.splitlines())) <= 80
    table = shown.split("\n\n")[2].splitlines()
    assert [line.split()[0] for line in table if "regressed" in line] == ["SW-OR"]
    wide = regressed("faceswap@1", "faceswap@2", code=3, columns=160).stdout
    assert len(wide.split("\n\n")[2].splitlines()) < len(table)


def test_on_the_page_the_verdict_is_next_to_the_metric(regressed: Home, tmp_path: Path) -> None:
    """As the last of eleven columns it was cut off at a width of 1200 px."""
    target = tmp_path / "page.html"
    regressed("faceswap@1", "faceswap@2", "--html", str(target), code=3)
    table = target.read_text().split("Every metric, candidate minus baseline</caption>")[1]
    assert re.findall(r'class="sort">([^<]+)', table)[:2] == ["Metric", "Verdict"]
    row = re.search(r'class="long">SW-OR distance</th>\s*<td[^>]*>(\w+)</td>', table)
    assert row is not None
    assert row[1] == "regressed"
