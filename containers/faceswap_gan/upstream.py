"""Common parts of our scripts that use Faceswap-GAN's modules: its video clips, its detector.

Runs in the image's Python, which has Keras and TensorFlow 1; upstream's folder is on its path.
"""

import functools
import json
import os
import sys
import types
from importlib import import_module
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

from containers.common.bench_driver import Progress
from containers.faceswap_gan import saves

Box = Tuple[float, float, float, float]
"""Top, right, bottom, left: the order in which upstream's detector gives a face's sides."""


class FolderClip:
    """Stands where upstream uses MoviePy's ``VideoFileClip``: a folder of pictures is the video.

    MoviePy reads and writes by time, and may repeat or leave out a frame; here the n-th picture in
    is the n-th picture out, and nothing is encoded in between. ``fl_image`` gives a clip that
    passes every frame through a function; ``write_videofile`` does so and writes what comes back
    as PNG files of the same names, unless ``keep`` is off.
    """

    keep = True

    def __init__(self, folder: str, change: Optional[Callable[[Any], Any]] = None) -> None:
        self._folder, self._change = folder, change
        self.audio = None
        self.reader = self

    def fl_image(self, change: Callable[[Any], Any]) -> "FolderClip":
        return FolderClip(self._folder, change)

    def write_videofile(self, target: str, **options: Any) -> None:
        cv2: Any = import_module("cv2")
        numpy: Any = import_module("numpy")
        names = sorted(os.listdir(self._folder))
        progress = Progress(len(names), "frames")
        for done, name in enumerate(names, 1):
            picture = cv2.imread(os.path.join(self._folder, name))[..., ::-1]
            changed = self._change(picture) if self._change else picture
            if FolderClip.keep:
                values = numpy.clip(changed, 0, 255).astype("uint8")[..., ::-1]
                if not cv2.imwrite(os.path.join(target, name), values):
                    raise OSError("%s cannot be written" % name)
            progress.update(done)

    def close(self) -> None:
        """Upstream closes ``clip.reader``."""


class MainFace:
    """Upstream's face detector, which shows the main face only and counts the others.

    The main face is the largest at first, then the one that overlaps its last box most. Upstream
    would swap every face, and align them all by the landmarks of the first.
    """

    def __init__(self, detector: Any, single: bool = False) -> None:
        self._detector, self._single = detector, single
        self._last: Optional[Box] = None
        self.counts: List[int] = []
        """Faces in each frame."""

    def detect_face(self, image: Any, *rest: Any, **options: Any) -> Tuple[Any, Any]:
        """As upstream's; with ``single``, a frame with several faces shows none."""
        faces, points = self._detector.detect_face(image, *rest, **options)
        self.counts.append(len(faces))
        if len(faces) == 0 or (self._single and len(faces) > 1):
            return faces[:0], points
        boxes = [tuple(float(side) for side in face[:4]) for face in faces]
        main = _main([_ordered(box) for box in boxes], self._last)
        self._last = _ordered(boxes[main])
        return faces[main : main + 1], points[:, main : main + 1]

    def summary(self) -> Dict[str, int]:
        """Frames looked at, with a face, with several."""
        return {
            "frames": len(self.counts),
            "with_face": sum(1 for one in self.counts if one > 0),
            "with_several": sum(1 for one in self.counts if one > 1),
        }


def _ordered(box: Tuple[float, ...]) -> Box:
    top, right, bottom, left = box
    return top, left, bottom, right


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _overlap(one: Box, other: Box) -> float:
    low = (max(one[0], other[0]), max(one[1], other[1]))
    high = (min(one[2], other[2]), min(one[3], other[3]))
    return _area((low[0], low[1], high[0], high[1]))


def _main(boxes: List[Box], last: Optional[Box]) -> int:
    """The largest; after a first one, that which overlaps it most, or the largest again."""
    if last is not None:
        shared = [_overlap(box, last) for box in boxes]
        if max(shared) > 0:
            return shared.index(max(shared))
    areas = [_area(box) for box in boxes]
    return areas.index(max(areas))


def unfit() -> Tuple[Type[BaseException], ...]:
    """Exceptions that one face's box or landmarks cause in upstream's code.

    TensorFlow's are not among them: without memory no frame would come out better.
    """
    numpy: Any = import_module("numpy")
    return (
        *(ValueError, IndexError, ZeroDivisionError, OverflowError),
        numpy.linalg.LinAlgError,
        import_module("cv2").error,
    )


def prepare(source: str, seed: int) -> None:
    """Make upstream's modules importable, and set the seeds."""
    sys.path.insert(0, source)
    editor: Any = types.ModuleType("moviepy.editor")
    editor.VideoFileClip = FolderClip
    sys.modules["moviepy"], sys.modules["moviepy.editor"] = types.ModuleType("moviepy"), editor
    import_module("random").seed(seed)
    numpy: Any = import_module("numpy")
    numpy.random.seed(seed)
    if "int" not in vars(numpy):
        numpy.int = int  # upstream's box smoothing uses it; NumPy 1.24 took it away


def detector(source: str) -> Any:
    """Upstream's MTCNN with the weights of its repository."""
    numpy: Any = import_module("numpy")
    backend: Any = import_module("keras.backend")
    made = import_module("detector.face_detector").MTCNNFaceDetector
    load = numpy.load
    # det1.npy to det3.npy hold dictionaries, which NumPy 1.16.3 and newer read only when asked to.
    numpy.load = functools.partial(load, allow_pickle=True)
    try:
        return made(
            sess=backend.get_session(), model_path=os.path.join(source, "mtcnn_weights", "")
        )
    finally:
        numpy.load = load


def build(architecture: Dict[str, Any]) -> Any:
    """Upstream's model with new weights."""
    asked = dict(architecture, IMAGE_SHAPE=tuple(architecture["IMAGE_SHAPE"]))
    return import_module("networks.faceswap_gan_model").FaceswapGANModel(**asked)


def perceptual_network(weights: str) -> Any:
    """VGGFace's ResNet50, built as the notebook does where its package does not fit Keras."""
    network = import_module("colab_demo.vggface_models").RESNET50(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    network.load_weights(weights)
    return network


def load(model: Any, folder: str) -> None:
    """Load a save; upstream's own ``load_weights`` prints its errors and goes on without."""
    for name in saves.NETWORKS:
        getattr(model, name).load_weights(saves.weights(folder, name))


def write_counts(path: str, counts: Dict[str, int]) -> None:
    """Leave what was counted for the driver."""
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(counts, stream)
