"""Faces and eye masks out of a folder of frames, by upstream's ``preprocess.preprocess_video``.

    python -m containers.faceswap_gan.extract_gan SOURCE FRAMES TARGET one|main

Leaves TARGET/rgb, TARGET/binary_mask and TARGET/counts.json.
"""

import os
import sys
from importlib import import_module
from typing import Any, List, Optional

from containers.faceswap_gan import upstream

UNALIGNED = "extract: a face could not be aligned and was left out: "


def main(argv: Optional[List[str]] = None) -> None:
    source, frames, target, which = sys.argv[1:] if argv is None else argv
    upstream.prepare(source, 0)
    preprocess: Any = import_module("preprocess")
    found = upstream.MainFace(upstream.detector(source), single=which == "one")
    process, unfit = preprocess.process_image, upstream.unfit()

    def process_image(picture: Any, info: Any, *rest: Any) -> Any:
        # A box that leaves the picture ends upstream's whole extraction.
        try:
            return process(picture, info, *rest)
        except unfit as error:
            print("%s%s" % (UNALIGNED, error), flush=True)
            return picture

    preprocess.process_image = process_image
    upstream.FolderClip.keep = False
    # The frames are thinned out already.
    preprocess.preprocess_video(frames, found, 1, target)
    upstream.write_counts(os.path.join(target, "counts.json"), found.summary())


if __name__ == "__main__":
    main()
