"""Batches as Faceswap-GAN's loader gives them, by TensorFlow 1's own data sets; Python 3.6."""

from typing import Any, List

import numpy
import tensorflow as tf  # type: ignore[import-untyped]


def _read(name: bytes) -> List[Any]:
    value = float(len(name)) / 100
    return [numpy.full((8, 8, 3), value, "float32")] * 3


class DataLoader:
    def __init__(
        self,
        filenames: List[str],
        all_filenames: List[str],
        batch_size: int,
        dir_bm_eyes: str,
        resolution: int,
        num_cpus: int,
        sess: Any,
        **da_config: Any,
    ) -> None:
        self._session = sess
        names = tf.constant(filenames, dtype=tf.string)
        data = tf.data.Dataset.from_tensor_slices(names).shuffle(len(filenames))
        data = data.map(lambda name: tf.py_func(_read, [name], [tf.float32] * 3))
        data = data.batch(batch_size, drop_remainder=True).repeat().prefetch(32)
        self._next = data.make_one_shot_iterator().get_next()

    def get_next_batch(self) -> Any:
        return self._session.run(self._next)
