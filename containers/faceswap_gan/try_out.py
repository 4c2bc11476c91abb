"""For the Dockerfile: loads upstream's modules as training and conversion do, and ends.

python -m containers.faceswap_gan.try_out SOURCE VGGFACE
"""

import sys
from importlib import import_module
from typing import Any, List, Optional

from containers.faceswap_gan import schedule, upstream

_ARCHITECTURE = {
    "IMAGE_SHAPE": [64, 64, 3],
    "use_self_attn": True,
    "norm": "instancenorm",
    "model_capacity": "standard",
}
_WEIGHTS = {
    "w_D": 0.1,
    "w_recon": 1.0,
    "w_edge": 0.1,
    "w_eyes": 30.0,
    "w_pl": (0.01, 0.1, 0.3, 0.1),
}


def main(argv: Optional[List[str]] = None) -> None:
    source, vggface = sys.argv[1:] if argv is None else argv
    upstream.prepare(source, 0)
    for module in ("preprocess", "converter.video_converter", "data_loader.data_loader"):
        import_module(module)
    numpy: Any = import_module("numpy")
    upstream.detector(source).detect_face(numpy.zeros((96, 96, 3), "uint8"))
    import_module("keras.backend").clear_session()
    model = upstream.build(_ARCHITECTURE)
    perceptual = upstream.perceptual_network(vggface)
    model.build_pl_model(vggface_model=perceptual, before_activ=False)
    phase = schedule.phase_at(schedule.plan(40000), 30000)
    losses = schedule.loss_config(phase, "mixup_LSGAN", False, False)
    model.build_train_functions(loss_weights=_WEIGHTS, **losses)
    print("Upstream's modules fit together.")


if __name__ == "__main__":
    main()
