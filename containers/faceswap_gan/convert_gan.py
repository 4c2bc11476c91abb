"""The donor's face onto a folder of frames, by upstream's ``VideoConverter.convert``.

    python -m containers.faceswap_gan.convert_gan SOURCE FRAMES TARGET ORDER

ORDER is a JSON file with ``model`` (a save's folder), ``architecture`` and ``options``. Leaves a
picture in TARGET for each of FRAMES, and counts.json alongside TARGET.
"""

import json
import sys
from importlib import import_module
from typing import Any, List, Optional

from containers.faceswap_gan import upstream


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
    options = dict(order["options"], IMAGE_SHAPE=tuple(order["options"]["IMAGE_SHAPE"]))
    converter.convert(input_fn=frames, output_fn=target, options=options, duration=None)
    upstream.write_counts(target.rstrip("/") + ".counts.json", found.summary())


if __name__ == "__main__":
    main()
