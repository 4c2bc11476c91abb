"""The words of the published study: its tables, settings and statements, as frozen models."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from harness.core.base import Frozen

ToolName = Literal["dfaker", "deepfacelab", "faceswap", "faceswap-gan"]
TOOLS: tuple[str, ...] = get_args(ToolName)
"""In the order of the study's tables, by the names of this project's adapters."""
Sex = Literal["M", "F"]
Comparison = Literal["or_or", "or_sw", "sw_or", "sw_sw"]

Distance = Annotated[float, Field(ge=0, le=2)]
"""Between L2-normalised embeddings no distance is above 2; dlib's stay far below."""


class DeidRow(Frozen):
    """One row of Tables 4-7: mean L2 distances of one actor's video to a reference face."""

    tool: ToolName
    actor: int
    or_or: Distance
    or_sw: Distance
    sw_or: Distance
    sw_sw: Distance


class UnitRow(Frozen):
    """One row of Table 2. RMSE is on OpenFace's scale of 0 to 5, as printed, possible or not."""

    tool: ToolName
    au: int
    pcc: float
    rmse: float


class MeanRow(Frozen):
    """One row of Table 3."""

    tool: ToolName
    pcc_mean: float
    pcc_sd: float
    rmse_mean: float
    rmse_sd: float


class TextRow(MeanRow):
    """Statements of section 4.6 on one tool, in numbers."""

    deid_mean: float
    deid_sd: float


class SwitchRow(Frozen):
    """One row of Tables 8-11: SW-OR with a donor of the actor's sex, and of the other."""

    tool: ToolName
    actor: int
    sex: Sex
    same_sex: Distance
    other_sex: Distance


class SwitchUnitRow(Frozen):
    """One row of Table 12: change of PCC and RMSE, in a direction that is not stated."""

    tool: ToolName
    au: int
    delta_pcc: float
    delta_rmse: float


class Source(Frozen):
    author: str
    title: str
    kind: str
    institution: str
    academic_year: str


class TableNote(Frozen):
    """Place of a table in the thesis."""

    number: int
    section: str
    pages: str
    title: str
    """Contents of the table, in this project's words."""


class FigureNote(Frozen):
    numbers: str
    section: str
    pages: str
    title: str


class DatasetNote(Frozen):
    name: str
    actors: int
    switched_actors: tuple[int, ...]
    training_clips: int
    """Per actor."""
    training_clip_seconds: int
    """Of each, approximately."""
    training_minutes: int
    """Of all clips of an actor, approximately."""
    test_minutes: int
    donors: int
    donor_minutes: int


class ProtocolNote(Frozen):
    frames: int
    threshold_l2: float
    embedding_numbers: int
    distance_sum: tuple[int, int]
    """First and last index of the printed sum."""
    units: int
    lowest_intensity: float
    highest_intensity: float


class ToolNote(Frozen):
    """Settings of one tool, as section 4.2 gives them; None where it gives none."""

    name: ToolName
    printed: str
    section: str
    pages: str
    model: str | None = None
    input_px: int
    output_px: int
    latent_numbers: int | None = None
    mask: str | None = None
    initialisation: str | None = None
    options: tuple[str, ...] = ()
    optimizer: str
    beta_1: float
    beta_2: float
    learning_rate: float
    batch_size: int
    hours: float
    iterations: int


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Value = Annotated[
    bool | int | float | str | tuple[int | float | str, ...], BeforeValidator(_as_tuple)
]
"""A fact of the study, or a number computed from its facts."""


class Statement(Frozen):
    """One thing the text says, and where."""

    fact: str
    section: str
    value: Value


class Outside(Frozen):
    """Publications of others that the study is held against."""

    openface_intensities: tuple[int, ...]
    ravdess_speech_trials: int
    ravdess_song_trials: int
    ravdess_actors_without_song: tuple[int, ...]


class StudyFile(Frozen):
    """``study.yaml``."""

    source: Source
    tables: tuple[TableNote, ...]
    figures: tuple[FigureNote, ...]
    dataset: DatasetNote
    protocol: ProtocolNote
    tools: tuple[ToolNote, ...]
    statements: tuple[Statement, ...]
    outside: Outside


class Published(Frozen):
    """The whole study: ``about`` and its tables."""

    about: StudyFile
    units: tuple[UnitRow, ...]
    """Table 2."""
    means: tuple[MeanRow, ...]
    """Table 3."""
    deid: tuple[DeidRow, ...]
    """Tables 4-7."""
    switched: tuple[SwitchRow, ...]
    """Tables 8-11."""
    switched_units: tuple[SwitchUnitRow, ...]
    """Table 12."""
    text: tuple[TextRow, ...]
    """The numbers of section 4.6."""

    def table(self, number: int) -> tuple[Frozen, ...]:
        """The rows of a table by its number in the thesis; none for a number that has no data."""
        of_one_tool: dict[int, tuple[Frozen, ...]] = {}
        for place, tool in enumerate(TOOLS):
            of_one_tool[4 + place] = tuple(row for row in self.deid if row.tool == tool)
            of_one_tool[8 + place] = self.switches(tool)
        whole: dict[int, tuple[Frozen, ...]] = {
            2: self.units,
            3: self.means,
            12: self.switched_units,
        }
        return (whole | of_one_tool).get(number, ())

    def distances(self, tool: str, comparison: Comparison) -> dict[int, float]:
        """By actor, of Tables 4-7."""
        return {row.actor: getattr(row, comparison) for row in self.deid if row.tool == tool}

    def unit_values(self, tool: str, measure: Literal["pcc", "rmse"]) -> dict[int, float]:
        """By action unit, of Table 2."""
        return {row.au: getattr(row, measure) for row in self.units if row.tool == tool}

    def switches(self, tool: str) -> tuple[SwitchRow, ...]:
        """Of Tables 8-11."""
        return tuple(row for row in self.switched if row.tool == tool)

    def said(self, tool: str) -> TextRow:
        """Statement of section 4.6 on a tool. Raises StopIteration for another tool's name."""
        return next(row for row in self.text if row.tool == tool)

    def printed_means(self, tool: str) -> MeanRow:
        """Of Table 3. Raises StopIteration for another tool's name."""
        return next(row for row in self.means if row.tool == tool)

    def settings(self, tool: str) -> ToolNote:
        """Of section 4.2. Raises StopIteration for another tool's name."""
        return next(note for note in self.about.tools if note.name == tool)

    def statements(self, fact: str) -> tuple[Statement, ...]:
        """All that is said of one fact, in the order of the file."""
        return tuple(one for one in self.about.statements if one.fact == fact)

    def numbers_said(self, fact: str) -> tuple[int, ...]:
        """The list of numbers (actors, units) that the text gives for one fact, in its order."""
        value = self.statements(fact)[0].value
        if not isinstance(value, tuple):
            raise TypeError(f"'{fact}' is no list.")
        return tuple(int(number) for number in value)


class Entry(Frozen):
    """One entry of the inconsistency register.

    ``check`` names a function of ``CHECKS``, called with ``about``; what it finds must be what
    ``printed`` and ``recomputed`` say, to ``digits`` digits after the point. Without a check,
    ``not_computable`` says why no computation can confirm the entry; with one, what of the entry
    it leaves open.
    """

    id: str
    where: str
    kind: str
    says: str
    check: str | None = None
    about: dict[str, Value] = {}
    printed: dict[str, Value] = {}
    recomputed: dict[str, Value] = {}
    digits: int = 3
    not_computable: str = ""


class RegisterFile(Frozen):
    """``register.yaml``."""

    entries: tuple[Entry, ...]
