"""Stand-in: see ../README.md."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from moviepy.editor import VideoFileClip  # type: ignore[import-not-found]
from wish import WISH, note  # type: ignore[import-not-found]


class FaceTransformer:
    """Upstream's crops, which may come out empty, and its network."""

    def __init__(self) -> None:
        self.model: Any = None

    def set_model(self, model: Any) -> None:
        self.model = model

    def transform(
        self, inp_img: Any, direction: str, roi_coverage: float, **options: Any
    ) -> tuple[Any, Any, Any]:
        assert direction == "AtoB"
        if WISH["error_converting"]:
            raise ValueError(WISH["error_converting"])
        x, y = (int(side * (1 - roi_coverage)) for side in inp_img.shape[:2])
        if x == 0 or y == 0:
            raise ValueError("Error occurs when cropping roi image.")
        roi = inp_img[x:-x, y:-y]
        mask = np.zeros_like(roi)
        inner = tuple(int(side * (1 - roi_coverage)) for side in roi.shape[:2])
        mask[inner[0] : -inner[0], inner[1] : -inner[1]] = 1
        # Without an inner part the face comes back as it was.
        if not mask.any():
            return inp_img, inp_img, mask
        swapped = self.model.path_abgr_B([[inp_img / 127.5 - 1]])[0][0][..., 1:]
        # Upstream's picture is not clipped either.
        return (swapped + 1) * 127.5 + 0.5, inp_img, mask


class VideoConverter:
    def __init__(self) -> None:
        self.fdetect: Any = None
        self.ftrans = FaceTransformer()
        self.frames = 0

    def set_gan_model(self, model: Any) -> None:
        self.ftrans.set_model(model)

    def set_face_detector(self, fdetect: Any) -> None:
        self.fdetect = fdetect

    def convert(self, input_fn: str, output_fn: str, options: Any, duration: Any = None) -> None:
        self.check_options(options)
        note("options", options)
        clip1 = VideoFileClip(input_fn)
        clip = clip1.fl_image(lambda img: self.process_video(img, options))
        clip.write_videofile(output_fn, audio=True)
        clip1.reader.close()
        with contextlib.suppress(AttributeError):
            clip1.audio.reader.close_proc()

    def process_video(self, input_img: Any, options: Any) -> Any:
        faces, points = self.fdetect.detect_face(
            input_img,
            minsize=20,
            threshold=options["detec_threshold"],
            factor=0.709,
            use_auto_downscaling=options["use_auto_downscaling"],
            min_face_area=options["min_face_area"],
        )
        result = input_img.astype("float64")
        for i, (x0, y1, x1, y0, _) in enumerate(faces):
            assert points[:, i : i + 1].shape == (10, 1)
            self.frames += 1
            part = (slice(int(x0), int(x1)), slice(int(y0), int(y1)))
            asked = {"direction": options["direction"], "roi_coverage": options["roi_coverage"]}
            try:
                if self.frames in WISH["unaligned"]:
                    raise np.linalg.LinAlgError("SVD did not converge")
                result[part] = self.ftrans.transform(result[part], **asked)[0]
            except:  # noqa: E722 - as upstream does
                print(f"Face alignment error occurs at frame {self.frames}.")
                result[part] = self.ftrans.transform(result[part], **asked)[0]
        both = np.concatenate([input_img, result], axis=1)
        return both[:, input_img.shape[1] :, :]

    @staticmethod
    def check_options(options: Any) -> None:
        if not 0 < options["roi_coverage"] < 1:
            raise ValueError("roi_coverage should be between 0 and 1 (exclusive).")
        assert options["output_type"] == 1
        assert options["direction"] == "AtoB"
        assert isinstance(options["IMAGE_SHAPE"], tuple)
        assert {"use_smoothed_bbox", "use_kalman_filter", "kf_noise_coef", "enhance"} <= set(
            options
        )
        assert {"bbox_moving_avg_coef", "use_color_correction"} <= set(options)
