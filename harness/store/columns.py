"""What each column of the views means: the data dictionary, in one place."""

from __future__ import annotations

from collections.abc import Mapping

_COMPARED = {
    "or_or": "original video to the actor's own reference face",
    "or_sw": "original video to the swapped identity",
    "sw_or": "swapped video to the actor's own reference face",
    "sw_sw": "swapped video to the swapped identity",
}
_STATISTICS = {
    "mean": "Mean L2 distance, {}, over sampled frames with a face.",
    "sd": "Standard deviation (n - 1) of the L2 distance, {}, over sampled frames with a face.",
    "median": "Median L2 distance, {}, over sampled frames with a face.",
    "share_under": "Share of the frames with a distance, {}, that are at or under the threshold.",
    "fta": "Failure to acquire: share of the sampled frames without a distance, {}.",
}
_KEPT = {
    "detection_rate": "Share of the frames with a face in the original that have one in {}.",
    "blinks": "Blinks of the original.",
    "blink_precision": "Share of the blinks in {} that the original has too.",
    "blink_recall": "Share of the original's blinks that are in {} too.",
    "blink_f1": "F1 of the blinks in {}.",
    "mouth_openings": "Mouth openings of the original.",
    "mouth_opening_precision": "Share of the mouth openings in {} that the original has too.",
    "mouth_opening_recall": "Share of the original's mouth openings that are in {} too.",
    "mouth_opening_f1": "F1 of the mouth openings in {}.",
    "head_pose_mean_deg": "Mean angle between the heads of the original and of {}, in degrees.",
    "head_pose_p95_deg": "95th percentile of the angle between both heads, in degrees, of {}.",
    "gaze_mean": "Mean difference in gaze, original to {}, in rig weights (0 to 1).",
    "gaze_p95": "95th percentile of the difference in gaze, original to {}, in rig weights.",
    "landmarks_nme": "Mean distance of landmarks, original to {}, in interocular distances.",
    "landmarks_nme_p95": "95th percentile of the same, original to {}, in interocular distances.",
}

COLUMN_HELP: Mapping[str, str] = {
    "cell": "Name of the cell: the folder it has in the store; its end is the start of its id.",
    "cell_id": "SHA-256 of everything that can change the cell's result.",
    "tool": "Tool that replaced or hid the face.",
    "version": "Version of the tool.",
    "config": "Name of the settings.",
    "settings": "All settings, as JSON.",
    "dataset": "Dataset of the actor.",
    "split": "How the actor's clips were divided: held-out, or thesis (test takes trained on).",
    "actor": "Number of the actor, the person to be hidden.",
    "sex": "Sex of the actor, as the dataset says it.",
    "donor": "Person whose face was put on; empty for tools that need none.",
    "seed": "Seed the tool was given.",
    "status": "How the cell or attempt ended; ok means that there is a result.",
    "attempts": "Tries, failed ones too.",
    "number": "Which try of its cell it was, from 1.",
    "uuid": "Name of the attempt.",
    "started_at": "When the attempt began (UTC).",
    "ended_at": "When the attempt ended (UTC).",
    "reason": "Why it ended so, or why there is no number, as a sentence.",
    "exit_code": "Exit code of the driver; empty where it was stopped.",
    "wall_s": "Seconds the attempt took.",
    "cpu_s": "Processor seconds of all its processes.",
    "peak_memory_bytes": "Largest memory of all its processes together, in bytes.",
    "host_cpu": "Processor of the machine.",
    "bench_version": "Version of deid-bench that ran it.",
    "attempt": "Folder of the attempt that made the result.",
    "swapped_path": "Swapped video, relative to the cell's folder.",
    "swapped_sha256": "SHA-256 of the swapped video.",
    "swapped_bytes": "Size of the swapped video in bytes.",
    "frames": "Frames the tool wrote.",
    "frames_without_face": "Frames in which the tool itself found no face.",
    "protocol": "Scoring protocol: which frames were sampled, and how many.",
    "aligned": "Whether frames of both videos may be paired by number.",
    "attribute_source": "Estimator of the action units behind the means; never mixed.",
    "mean_pcc": "Mean Pearson correlation over measurable action units, frozen ones as 0.",
    "mean_rmse": "Mean root mean square error over measurable action units, in the source's scale.",
    "mean_ccc": "Mean concordance correlation (Lin) over measurable action units.",
    "source": "Estimator of the action units.",
    "scale": "What the estimator's numbers are in.",
    "unit": "Action unit.",
    "measurable": "Whether the unit moves in the original and enough frames can be paired.",
    "pcc": "Pearson correlation of the unit's intensity, original and swapped.",
    "rmse": "Root mean square error of the unit's intensity, in the source's scale.",
    "nrmse": "RMSE divided by the original's standard deviation.",
    "ccc": "Lin's concordance correlation of the unit's intensity.",
    "slope": "Slope of the swapped intensity on the original's; 1 keeps the amplitude.",
    "rmse_neutral": "RMSE after each video's own neutral value (10th percentile) was taken off.",
    "lag_frames": "Shift in frames at which the correlation peaks; positive when swapped is late.",
    "lag_s": "The same shift in seconds.",
    "lag_pcc": "Pearson correlation at that shift.",
    "floor_pcc": "Pearson correlation of the original with its own re-encoding.",
    "floor_rmse": "RMSE of the original against its own re-encoding.",
    "frame": "Number of the frame in the video, from 0.",
    "faces_original": "Faces found in the original's frame.",
    "faces_swapped": "Faces found in the swapped video's frame.",
    **{name: f"L2 distance of this frame, {words}." for name, words in _COMPARED.items()},
    **{name: text.format("the swapped video") for name, text in _KEPT.items()},
    **{f"floor_{n}": t.format("the original's re-encoding") for n, t in _KEPT.items()},
    **{
        f"{name}_{statistic}": text.format(words)
        for name, words in _COMPARED.items()
        for statistic, text in _STATISTICS.items()
    },
}
"""A sentence for each column; one name means the same in every view."""
