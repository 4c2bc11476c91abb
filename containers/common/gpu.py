"""Looks whether a tool's framework can compute on the GPU that a job promises.

Standard library only and Python 3.6 syntax: copied into old images.
"""

from typing import Dict

from containers.common import terminal
from containers.common.bench_driver import Job, ToolFailedError

# A card that is listed may still have no kernels in this build, so something is computed on it.
PROBES: Dict[str, str] = {
    "tensorflow": """import tensorflow as tf
usable = tf.test.is_gpu_available()
if usable:
    with tf.device("/gpu:0"):
        total = tf.reduce_sum(tf.matmul(tf.ones([8, 8]), tf.ones([8, 8])))
    with tf.Session() as session:
        usable = session.run(total) == 512
print("GPU usable: %s" % bool(usable))
""",
    "torch": """import torch
usable = torch.cuda.is_available() and float(torch.ones(1).cuda() + 1) == 2
print("GPU usable: %s" % bool(usable))
""",
}

NONE = (
    "{tool} found no GPU and would go on with the CPU. Is the image built on a base that fits this "
    "card? `bench doctor` says what was found."
)


def require(job: Job, tool: str, python: str, framework: str) -> None:
    """Raise ToolFailedError when ``framework`` cannot use the GPU that the job promises.

    ``framework`` is a name in ``PROBES``, asked in the Python that runs ``tool``. Both would go on
    with the CPU without a word, and a step takes days there in the place of hours; so each step
    asks before it does anything.
    """
    if not job.gpu:
        return
    command = terminal.Command([python, "-c", PROBES[framework]], cwd=job.state)
    ended = terminal.run(command)
    if ended.code != 0 or "GPU usable: True" not in ended.tail:
        said = ended.tail[-1].strip() if ended.tail else "nothing"
        raise ToolFailedError("%s (%s said: %s)" % (NONE.format(tool=tool), framework, said))
