"""The donor's face onto a folder of frames, by upstream's ``VideoConverter.convert``.

    python -m containers.faceswap_gan.convert_gan SOURCE FRAMES TARGET ORDER

ORDER is a JSON file with ``model`` (a save's folder), ``architecture`` and ``options``. Leaves a
picture in TARGET for each of FRAMES, and counts.json alongside TARGET.
"""

import json
import sys
from importlib import import_module
from typing import Any, List, Optional

from containers.faceswap_gan import settings, upstream

UNSWAPPED = "convert: frame %d shows the actor, its face could not be swapped: %s"


class Guard:
    """Upstream's converter, which goes on after a frame whose face it cannot swap.

    Its ``process_video`` catches what fails while it aligns a face, and then does half of the same
    again, without protection: one such frame ends the whole conversion. Here the frame keeps its
    pixels and is counted. A face whose crop has nothing to blend comes back as it was without a
    word; that is such a frame too.
    """

    def __init__(self, converter: Any) -> None:
        self._process, self._transform = converter.process_video, converter.ftrans.transform
        self._unfit = upstream.unfit()
        converter.process_video, converter.ftrans.transform = self.process_video, self.transform
        self.frames = 0
        self.unswapped: List[int] = []
        """Numbers of the frames, from 1."""
        self.last = ""
        """The last reason."""

    def process_video(self, picture: Any, options: Any) -> Any:
        """As upstream's; the picture itself when its face cannot be swapped."""
        self.frames += 1
        try:
            return self._process(picture, options)
        except self._unfit as error:
            self.last = " ".join(str(error).split())
            self.unswapped.append(self.frames)
            print(UNSWAPPED % (self.frames, self.last), flush=True)
            return picture

    def transform(self, face: Any, *rest: Any, **options: Any) -> Any:
        """As upstream's; raises ValueError when it would give the face back unchanged."""
        height, width = face.shape[:2]
        if not settings.crop_is_whole(height, width, options["roi_coverage"]):
            raise ValueError("a face of %d x %d pixels is too small" % (width, height))
        return self._transform(face, *rest, **options)


def main(argv: Optional[List[str]] = None) -> None:
    source, frames, target, path = sys.argv[1:] if argv is None else argv
    with open(path, encoding="utf-8") as stream:
        order = json.load(stream)
    upstream.prepare(source, 0)
    backend: Any = import_module("keras.backend")
    backend.set_learning_phase(0)
    model = upstream.build(order["architecture"])
    upstream.load(model, order["model"])
    found = upstream.MainFace(upstream.detector(source))
    converter: Any = import_module("converter.video_converter").VideoConverter()
    converter.set_face_detector(found)
    converter.set_gan_model(model)
    guard = Guard(converter)
    options = dict(order["options"], IMAGE_SHAPE=tuple(order["options"]["IMAGE_SHAPE"]))
    converter.convert(input_fn=frames, output_fn=target, options=options, duration=None)
    counts = dict(found.summary(), unswapped=len(guard.unswapped))
    if counts["unswapped"] and counts["unswapped"] == counts["with_face"]:
        sys.exit("Error: no face could be swapped: %s" % guard.last)
    upstream.write_counts(target.rstrip("/") + ".counts.json", counts)


if __name__ == "__main__":
    main()
