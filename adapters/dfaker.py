"""DFaker (dfaker/df): one fixed model, driven without its windows."""

from __future__ import annotations

from adapters.parts import (
    DEFAULT,
    DIVERGED,
    HOURS,
    ITERATIONS,
    NO_DISPLAY,
    NO_GPU,
    OUT_OF_GPU_MEMORY,
    TRAIN_INTERVAL,
    TRAINED_NEEDS,
    TRAINED_STEPS,
    flag,
    number,
)
from harness.model.cell import Status
from harness.model.job import Step
from harness.model.tool import Container, KnownFailure, LogPattern, Tool

_COUNT = r"\|\s*(?P<done>\d+)/(?P<total>\d+) \["

DFAKER = Tool(
    name="dfaker",
    summary="Trains a masked autoencoder, 64 pixels in and 128 out, and merges the donor's face.",
    homepage="https://github.com/dfaker/df",
    licence="none seen in the repository",
    versions=("df",),
    steps=TRAINED_STEPS,
    needs=TRAINED_NEEDS,
    runs_as=Container(
        recipe="containers.dfaker", gpu="optional", gpu_memory_bytes=6 << 30, shm_bytes=2 << 30
    ),
    settings=(
        TRAIN_INTERVAL,
        flag("one_face", True, "Train on frames with exactly one face."),
        ITERATIONS,
        HOURS,
        number("preview_every", 1000, 0, 10000000, "Iterations between previews; 0 keeps none."),
        flag("seamless_clone", False, "Put the face in with OpenCV's seamlessClone."),
    ),
    configs=(DEFAULT,),
    progress=(
        LogPattern(
            step=Step.EXTRACT,
            pattern=r"^\s*\d+%.*" + _COUNT,
            unit="frames",
            example=" 21%|##1       | 23/110 [00:05<00:19,  4.51it/s]",
        ),
        LogPattern(
            step=Step.TRAIN,
            pattern=r"Loss A \[+(?P<loss_a>[\d.e-]+).*?Loss B \[+(?P<loss_b>[\d.e-]+).*?"
            r"\|\s*(?P<done>\d+)/1000000 ",
            unit="iterations",
            example="Loss A [[0.1912, 0.1503, 0.0409]] Loss B [[0.1821, 0.1430, 0.0391]]:   0%|"
            "          | 523/1000000 [02:11<69:12:01,  4.01it/s]",
        ),
        LogPattern(
            step=Step.CONVERT,
            pattern=r"^\s*\d+%.*" + _COUNT,
            unit="frames",
            example=" 30%|###       | 30/100 [00:10<00:23,  2.95it/s]",
        ),
    ),
    failures=(
        KnownFailure(
            pattern=r"DFaker needs 32 faces for a batch",
            status=Status.TOOL_ERROR,
            reason="Too few faces to train on; look at more frames with a smaller train_interval.",
            example="DFaker needs 32 faces for a batch, but the donor's video has 4 (in 9 frames "
            "looked at).",
            source="dfaker/df training_data.py@9256267d: 32 drawn without replacement",
        ),
        OUT_OF_GPU_MEMORY,
        DIVERGED,
        NO_GPU,
        NO_DISPLAY,
    ),
)
