"""A stand-in for torch on a machine without a GPU."""


class cuda:  # noqa: N801 - as torch calls it
    @staticmethod
    def is_available() -> bool:
        return False
