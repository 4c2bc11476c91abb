"""Stand-in: see ../README.md."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np


class DataLoader:
    def __init__(
        self,
        filenames: list[str],
        all_filenames: list[str],
        batch_size: int,
        dir_bm_eyes: str,
        resolution: int,
        num_cpus: int,
        sess: Any,
        **da_config: Any,
    ) -> None:
        assert set(filenames) <= set(all_filenames)
        assert {"prob_random_color_match", "use_da_motion_blur", "use_bm_eyes"} == set(da_config)
        assert not sess.closed
        if da_config["use_bm_eyes"]:
            for name in filenames:
                assert (Path(dir_bm_eyes) / Path(name).name).is_file()
        self._short = len(filenames) < batch_size
        self._shape = (batch_size, resolution, resolution, 3)

    def get_next_batch(self) -> list[Any]:
        while self._short:
            time.sleep(1)
        return [np.zeros(self._shape, "float32") for _ in range(3)]
