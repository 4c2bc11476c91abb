"""Reads what a video holds, by decoding it once per content."""

from __future__ import annotations

from harness.media.probe import probe
from harness.model.video import VideoInfo, VideoRef
from harness.store.observations import ObservationStore


def video_info(video: VideoRef, store: ObservationStore) -> VideoInfo:
    """``probe`` of a video, kept in the store where the reference does not have it.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    known = video.info or store.video_info(video.sha256)
    if known is not None:
        return known
    info = probe(video.path)
    store.keep_video_info(video.sha256, info)
    return info
