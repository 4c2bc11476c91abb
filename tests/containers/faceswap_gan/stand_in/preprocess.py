"""Stand-in: see README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from moviepy.editor import VideoFileClip  # type: ignore[import-not-found]
from wish import WISH  # type: ignore[import-not-found]


class VideoInfo:
    def __init__(self) -> None:
        self.frame = 0


def process_image(
    input_img: Any, info: Any, detector: Any, save_interval: int, save_path: str
) -> Any:
    info.frame += 1
    if info.frame % save_interval == 0:
        faces, _ = detector.detect_face(input_img, threshold=0.9, use_auto_downscaling=False)
        for idx, (x0, y1, x1, y0, _) in enumerate(faces):
            face = input_img[int(x0) : int(x1), int(y0) : int(y1), :]
            for name in ("rgb",) if WISH["no_masks"] else ("rgb", "binary_mask"):
                folder = Path(save_path) / name
                folder.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(folder / f"frame{info.frame}face{idx}.jpg"), face)
    return input_img


def preprocess_video(fn_input_video: str, fd: Any, save_interval: int, save_path: str) -> None:
    info = VideoInfo()
    clip1 = VideoFileClip(fn_input_video)
    clip = clip1.fl_image(lambda img: process_image(img, info, fd, save_interval, save_path))
    clip.write_videofile("dummy.mp4", audio=False, verbose=False)
    clip1.reader.close()
