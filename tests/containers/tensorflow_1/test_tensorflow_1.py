"""The programs that run in an image's own Python, under Python 3.6 and TensorFlow 1.15.5.

Upstream's networks are replaced by small ones with the same calls (small_gan, small_dfaker); Keras,
TensorFlow, OpenCV and what else the recipes pin are real.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from containers.common import gpu
from containers.dfaker import saves as dfaker_saves
from containers.faceswap_gan import saves, schedule
from tests.containers import old_pythons

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# One environment for all, and minutes to make it the first time.
pytestmark = [pytest.mark.xdist_group("tensorflow-1"), pytest.mark.timeout(1500)]

TORCH = """import sys, unittest.mock as m
for name in ("torch", "torch.hub", "torch.utils", "torch.utils.model_zoo", "torch.nn",
             "torch.nn.functional"):
    sys.modules[name] = m.MagicMock()
sys.modules["torch"].__version__ = "1.10.2"
"""
"""PyTorch is 900 MB; what is imported from it is enough."""


@pytest.fixture(scope="session")
def python(sample_cache: Path) -> str:
    return old_pythons.tensorflow_1(sample_cache)


@pytest.fixture(scope="session")
def for_dfaker(sample_cache: Path) -> Path:
    return old_pythons.packages(sample_cache, "dfaker")


@pytest.fixture(scope="session")
def for_gan(sample_cache: Path) -> Path:
    return old_pythons.packages(sample_cache, "faceswap_gan")


def _run(
    python: str, words: list[str], *paths: Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *paths])),
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "CUDA_VISIBLE_DEVICES": "",
        "NUMBA_CACHE_DIR": str(cwd or "/tmp"),
    }
    return subprocess.run(
        [python, *words], capture_output=True, text=True, timeout=240, cwd=cwd, env=environment
    )


def _done(python: str, words: list[str], *paths: Path, cwd: Path | None = None) -> str:
    ended = _run(python, words, *paths, cwd=cwd)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-3000:]
    return ended.stdout


def test_the_probe_for_a_gpu_speaks_tensorflow_1(python: str) -> None:
    probe = gpu.PROBES["tensorflow"]
    assert _done(python, ["-c", probe]).splitlines()[-1] == "GPU usable: False"
    # As if there were one: what is then computed is computed on the CPU.
    pretended = probe.replace("tf.test.is_gpu_available()", "True").replace("/gpu:0", "/cpu:0")
    assert _done(python, ["-c", pretended]).splitlines()[-1] == "GPU usable: True"


def test_dfakers_packages_have_what_its_recipe_and_script_import(
    python: str, for_dfaker: Path
) -> None:
    checks = (
        "import cv2, scipy.stats, skimage, keras, h5py, tqdm, numba, six\n"
        "assert keras.__version__ == '2.1.2'\n"
        "from face_alignment import FaceAlignment, LandmarksType\n"
        "import face_alignment, face_alignment.api as api, face_alignment.detection.folder\n"
        # As align_images_masked.py calls it.
        "from containers.dfaker import align_launcher\n"
        "api.load_file_from_url = lambda url: ''\n"
        "old = align_launcher.old_shape(face_alignment, lambda image, upsample: [], 'cpu')\n"
        "made = old.FaceAlignment(old.LandmarksType._2D, enable_cuda=True, flip_input=False)\n"
        "assert made.get_landmarks(None) is None\n"
        "print('all there')"
    )
    assert _done(python, ["-c", TORCH + checks], for_dfaker).splitlines()[-1] == "all there"


def test_faceswap_gans_packages_have_what_upstream_imports(python: str, for_gan: Path) -> None:
    checks = (
        "import cv2, h5py, keras, keras.backend, scipy, six, yaml\n"
        "from matplotlib import pyplot\n"
        "assert keras.__version__ == '2.1.5'\n"
        "from containers.faceswap_gan import upstream, convert_gan, extract_gan, train_gan\n"
        "assert cv2.error in upstream.unfit()\n"
        "print('all there')"
    )
    assert _done(python, ["-c", checks], for_gan).splitlines()[-1] == "all there"


def _order(folder: Path, python: str, for_gan: Path, **changed: Any) -> Path:
    """An order for train_gan: 40 planned iterations, through the whole schedule."""
    vggface = folder / "vggface.h5"
    if not vggface.exists():
        made = "from colab_demo.vggface_models import RESNET50\n"
        made += f"RESNET50().save_weights({str(vggface)!r})"
        _done(python, ["-c", made], for_gan, HERE / "small_gan")
    for side in ("A", "B"):
        for kind in ("rgb", "binary_mask"):
            place = folder / side / kind
            place.mkdir(parents=True, exist_ok=True)
            for number in range(6):
                (place / f"frame{number}face0.jpg").touch()
    for name in ("saves", "previews"):
        (folder / name).mkdir(exist_ok=True)
    training = {
        "architecture": {"IMAGE_SHAPE": [8, 8, 3], "use_self_attn": True, "norm": "none"},
        "batch_size": 4,
        "planned": 40,
        "gan": "mixup_LSGAN",
        "before_activation": False,
        "cyclic": False,
        "weights": {"w_D": 0.1, "w_recon": 1, "w_edge": 0.1, "w_eyes": 30, "w_pl": [1, 1, 1, 1]},
        "augmentation": {},
        "seed": 0,
    }
    order = {
        "training": training,
        "saves": str(folder / "saves"),
        "faces": {side: str(folder / side) for side in ("A", "B")},
        "vggface": str(vggface),
        "stop_at": 40,
        "save_every": 10,
        "preview_every": 0,
        "previews": str(folder / "previews"),
        **changed,
    }
    path = folder / "order.json"
    path.write_text(json.dumps(order))
    return path


def test_faceswap_gan_trains_through_its_schedule_with_one_session_at_a_time(
    python: str, for_gan: Path, tmp_path: Path
) -> None:
    words = ["-m", "containers.faceswap_gan.train_gan", str(HERE / "small_gan")]
    first = _order(tmp_path, python, for_gan, stop_at=20)
    log = _done(python, [*words, str(first)], for_gan)
    assert "train: from iteration 0 of 40 planned, in phase 0" in log
    log += _done(python, [*words, str(_order(tmp_path, python, for_gan))], for_gan)
    assert "train: from iteration 20 of 40 planned, in phase 4" in log
    # A session of its own may be open when a phase is built: that of the one before may not.
    opened = [line for line in log.splitlines() if line.startswith("open sessions: ")]
    assert len(opened) == len(schedule.plan(40)) + 1
    assert set(opened) == {"open sessions: 0"}
    assert log.count("the decoders changed sides") == 1
    assert "[iter 40] Loss_DA: 0.500000" in log
    save = saves.newest(str(tmp_path / "saves"))
    assert save is not None
    assert (save.iterations, save.swapped) == (40, True)


def _train_dfaker(
    python: str, packages: Path, folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    (folder / "models").mkdir(exist_ok=True)
    module = ["-m", "containers.dfaker.train_launcher", str(HERE / "small_dfaker")]
    return _run(python, [*module, *words, "--previews", str(folder)], packages, cwd=folder)


def test_dfakers_training_stops_saves_whole_and_goes_on(
    python: str, for_dfaker: Path, tmp_path: Path
) -> None:
    ended = _train_dfaker(python, for_dfaker, tmp_path, "--stop-at", "120")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "a new model" in ended.stdout
    assert "launcher: saved at 1 iterations" in ended.stdout
    assert "launcher: saved at 120 iterations" in ended.stdout
    assert "predicted: (8, 128, 128, 3)" in ended.stdout, "no preview was wanted"
    assert dfaker_saves.recover(str(tmp_path / "models")) == 120
    ended = _train_dfaker(python, for_dfaker, tmp_path, "--first", "120", "--stop-at", "125")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "loaded models" in ended.stdout
    assert "| 125/1000000 " in ended.stderr.replace("\r", "\n") or "saved at 125" in ended.stdout
    (tmp_path / "models" / "decoder_A.h5").write_bytes(b"rot")
    ended = _train_dfaker(python, for_dfaker, tmp_path, "--first", "125", "--stop-at", "130")
    assert ended.returncode == 1
    assert "Error: models/decoder_A.h5 cannot be loaded" in ended.stdout
