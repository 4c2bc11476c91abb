"""Options and arguments that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import complete
from harness.model.identity import IdentityPath

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OneCell = Annotated[
    str,
    typer.Argument(
        help="A cell's slug, id, or an unambiguous start of either.",
        autocompletion=complete.cell_names,
    ),
]
Cells = Annotated[
    list[str] | None,
    typer.Argument(
        help="Cells: slugs, ids, or starts of them. All, when none is named.",
        autocompletion=complete.cell_names,
        show_default=False,
    ),
]
SuiteOption = Annotated[
    str | None,
    typer.Option(
        "--suite",
        help="Only the cells of this suite: a name or a YAML file.",
        autocompletion=complete.suite_names,
    ),
]
ToolOption = Annotated[
    str | None,
    typer.Option(
        "--tool",
        help="Only these tools: blur or blur,mask or blur@1.",
        autocompletion=complete.tool_names,
    ),
]
ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Only these actors: 3, 1-24 or 1-4,7.")
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="Only this dataset: a name or a manifest's path.",
        autocompletion=complete.dataset_names,
    ),
]
EarlierOption = Annotated[
    bool,
    typer.Option(
        "--earlier",
        help="Cells of an earlier manifest, image or suite too, in columns of their own.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs", min=1, help="Things done at once; else $BENCH_JOBS, else one for each core."
    ),
]
CpuOption = Annotated[
    bool, typer.Option("--cpu", help="Use no GPU, where the tool can do without; slow.")
]
FramesOption = Annotated[
    int | None,
    typer.Option(
        "--frames",
        min=2,
        help="Frames sampled for identity. Default: the suite's, else as most of the cells "
        "were scored, else 1000.",
        show_default=False,
    ),
]

IdentityOption = Annotated[
    IdentityPath | None,
    typer.Option(
        help="How faces are found: fast (default), in every frame; or reference, by "
        "face_recognition itself, in the sampled frames. Both embed with dlib's network.",
        show_default=False,
    ),
]
RecogniserOption = Annotated[
    list[str] | None,
    typer.Option(
        "--recogniser",
        help="Have this recogniser measure every video too: a name, or an ONNX file of the "
        "ArcFace class (FILE.yaml next to FILE.onnx says how it wants its pixels).",
    ),
]
ObserverOption = Annotated[
    list[str] | None,
    typer.Option(
        "--observer", help="Have this program measure every video too, in a container: openface."
    ),
]
