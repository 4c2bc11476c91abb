"""A user's network becomes a recogniser once it distinguishes unmodified faces of the sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError
from harness.core.hashing import content_hash
from harness.core.paths import expanded, models_dir
from harness.model.job import Event
from harness.observe.trial_faces import fetch_trial_faces, trial_chips, trial_faces
from harness.store.archives import Listener, ignore
from harness.store.records import DamagedError, read_record, set_aside, write_record
from harness.vision.recognisers.base import Recogniser
from harness.vision.recognisers.convention import KNOWN, Convention, read_stated, stated_path
from harness.vision.recognisers.onnx_file import OnnxFile, open_onnx_file
from harness.vision.recognisers.registry import open_named
from harness.vision.recognisers.trial import (
    LEAST_MARGIN,
    LEAST_RANKED,
    TRIAL_VERSION,
    Trial,
    first_of_the_best,
    try_out,
)


class TriedConvention(Frozen):
    """A convention, and what came of it."""

    convention: Convention
    trial: Trial


class Acceptance(Frozen):
    """The convention that a network is used with, and the others that would do too."""

    chosen: TriedConvention
    stated: bool
    """Order, mean and scale come from its user; else the convention was found by trying."""
    others: tuple[TriedConvention, ...] = ()


def is_file(named: str) -> bool:
    """True when a recogniser is named by an ONNX file."""
    return named.lower().endswith(".onnx")


@lru_cache
def open_recogniser(named: str, home: Path) -> Recogniser:
    """By name, or by the path of an ONNX file (``*.onnx``); opened once per process.

    Raises as ``check_recogniser``, and whatever the recogniser itself raises.
    """
    if not is_file(named):
        return open_named(named, home)
    network = _open_file(named)
    return network.with_convention(accept(network, home, ignore).chosen.convention)


def check_recogniser(named: str, home: Path, listen: Listener) -> None:
    """See that ``open_recogniser`` will open it; ``listen`` hears by which convention.

    Raises UsageError for an unknown name and as ``read_stated``, UnusableInputError for a file that
    is not a face network or does not distinguish faces, FetchError when there is no sample to try
    it on, and whatever the recogniser itself raises.
    """
    if is_file(named):
        accept(_open_file(named), home, listen)
    else:
        open_named(named, home)


def _open_file(named: str) -> OnnxFile:
    path = expanded(named)
    return open_onnx_file(path, read_stated(path))


def accept(network: OnnxFile, home: Path, listen: Listener) -> Acceptance:
    """The convention by which a network distinguishes faces, tried once for each file, statement
    and home. ``listen`` hears of it.

    Raises UnusableInputError, with rank and margin, when there is none; FetchError, StoreError.
    """
    kept = models_dir(home) / f"recogniser-{_key(network)}.json"
    acceptance = _read(kept)
    if acceptance is None:
        acceptance = _try_all(network, home, listen)
        write_record(kept, acceptance)
    for sentence in _sentences(network, acceptance):
        listen(Event(kind="note", text=sentence))
    return acceptance


def _key(network: OnnxFile) -> str:
    stated = network.stated.model_dump(mode="json")
    return content_hash([network.sha256, stated, TRIAL_VERSION])[:16]


def _read(path: Path) -> Acceptance | None:
    try:
        return read_record(path, Acceptance)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(path, str(error))
        return None


def _try_all(network: OnnxFile, home: Path, listen: Listener) -> Acceptance:
    candidates = network.possible(network.stated.candidates())
    many = "" if len(candidates) == 1 else f", with pixels in {len(candidates)} ways"
    text = f"Trying {network.path.name} on unmodified faces of the sample{many}; only once"
    listen(Event(kind="note", text=text))
    fetch_trial_faces(home, listen)
    tried = list(_try(network, candidates, home))
    best = first_of_the_best([attempt.trial for attempt in tried])
    if best is None:
        raise _refused(network, tried, home)
    passed = (
        attempt for number, attempt in enumerate(tried) if attempt.trial.passed and number != best
    )
    return Acceptance(
        chosen=tried[best],
        stated=len(candidates) == 1 and network.stated.order is not None,
        others=tuple(passed),
    )


def _try(
    network: OnnxFile, conventions: Sequence[Convention], home: Path
) -> Iterator[TriedConvention]:
    faces = trial_faces(home)
    labels = [face.label for face in faces]
    for convention in conventions:
        recogniser = network.with_convention(convention)
        vectors = recogniser.embed(trial_chips(faces, recogniser.info))
        trial = try_out(vectors, labels, recogniser.info.distance)
        yield TriedConvention(convention=convention, trial=trial)


def _sentences(network: OnnxFile, acceptance: Acceptance) -> list[str]:
    how = "as stated" if acceptance.stated else "found by trying"
    chosen = acceptance.chosen
    sentences = [f"{network.path.name}: {chosen.convention} ({how}); {chosen.trial}."]
    if acceptance.others:
        others = "; ".join(
            f"{other.convention} (margin {other.trial.margin:z.1f})" for other in acceptance.others
        )
        sentences.append(
            f"  The faces do not rule out {others}. If you know which is right, state it in "
            f"{stated_path(network.path)}."
        )
    return sentences


def _refused(network: OnnxFile, tried: Sequence[TriedConvention], home: Path) -> UnusableInputError:
    """The error, with the best of what was tried, and what would do in place of a statement."""
    best = max(tried, key=lambda attempt: (attempt.trial.margin, attempt.trial.ranked))
    how = "As stated" if len(tried) == 1 else f"By the best of {len(tried)} conventions"
    place = stated_path(network.path)
    hint = (
        f"If it is a face network, state order, mean, scale, size and alignment in {place} "
        "(docs/protocol.md, Other recognisers)."
    )
    ruled_out = [
        convention for convention in KNOWN if convention not in {each.convention for each in tried}
    ]
    for instead in _try(network, network.possible(ruled_out), home):
        if instead.trial.passed:
            hint = f"Correct {place}: by {instead.convention}, it {instead.trial}."
            break
    return UnusableInputError(
        f"{network.path} does not distinguish the sample's unmodified faces. {how} "
        f"({best.convention}), it {best.trial}; the least are {100 * LEAST_RANKED:g} % "
        f"and a margin of {LEAST_MARGIN:g}.",
        hint=hint,
    )
