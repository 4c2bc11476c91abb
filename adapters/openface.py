"""OpenFace 2.2 as an observer: the action units of a whole video."""

from __future__ import annotations

from harness.model.cell import Status
from harness.model.job import Role, Step
from harness.model.tool import Container, KnownFailure, ObserverTool

OPENFACE = ObserverTool(
    name="openface",
    summary="Measures 17 action units' intensities and 18 units' presence, for each frame.",
    homepage="https://github.com/TadasBaltrusaitis/OpenFace",
    licence="academic or non-profit, noncommercial research use only",
    versions=("2.2.0",),
    steps=(Step.OBSERVE,),
    needs=(Role.VIDEO,),
    runs_as=Container(recipe="containers.openface"),
    reader="harness.observe.openface:READER",
    failures=(
        KnownFailure(
            pattern=r"Illegal instruction|crashed with an illegal instruction",
            status=Status.TOOL_ERROR,
            reason="OpenFace was compiled for another processor; build its image on this machine.",
            example="OpenFace crashed with an illegal instruction (core dumped): it was compiled "
            "for another processor.",
            source="TadasBaltrusaitis/OpenFace issues 938 and 1001",
        ),
        KnownFailure(
            pattern=r"[Cc]ould not load the landmark detector|Could not find CEN patch experts",
            status=Status.TOOL_ERROR,
            reason="OpenFace's models are missing or unreadable; build its image again.",
            example="ERROR: Could not load the landmark detector",
            source="FeatureExtraction.cpp; TadasBaltrusaitis/OpenFace issue 1064",
        ),
        KnownFailure(
            pattern=r"core dumped|Segmentation fault",
            status=Status.TOOL_ERROR,
            reason="OpenFace crashed in this video; its log says how far it came.",
            example="OpenFace crashed (SIGSEGV, core dumped) before its table was whole.",
            source="TadasBaltrusaitis/OpenFace issue 300",
        ),
        KnownFailure(
            pattern=r"Failed to open the video file|OpenFace cannot open the video",
            status=Status.TOOL_ERROR,
            reason="OpenFace cannot read this video; encode it as H.264 and prepare it again.",
            example="Failed to open the video file at location: /in/video.mp4",
            source="SequenceCapture.cpp@ac4f59a1 (xkortex/OpenFace)",
        ),
    ),
)
