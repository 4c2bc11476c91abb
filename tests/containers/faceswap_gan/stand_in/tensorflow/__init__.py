"""Stand-in: see ../README.md."""


def set_random_seed(seed: int) -> None:
    assert isinstance(seed, int)
