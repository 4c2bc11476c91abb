"""Puts the weights that Faceswap would download at run time alongside it, when its image is built.

    python3 fetch_models.py FACESWAP_FOLDER RECORD [EXPECTED]

Which weights those are is read from the plugins of the checked out revision, and its own
downloader fetches them, so that they lie where it looks for them: the layout changed between
versions. Upstream publishes no checksums. So the first build trusts what comes, and RECORD lists
the SHA-256 of every file (`sha256sum -c RECORD` checks them); EXPECTED, when it is not empty, is
the SHA-256 of that list as an earlier build printed it, and another one fails the build. When it is
empty, the list is also written to ``unverified.sha256`` alongside RECORD: the image's label then
names the files as trusted.

Standard library only and Python 3.6 syntax, apart from upstream's own modules.
"""

import ast
import hashlib
import importlib
import inspect
import os
import re
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

PLUGINS = (
    "detect/s3fd",
    "detect/mtcnn",
    "detect/cv2_dnn",
    "align/fan",
    "align/cv2_dnn",
    "mask/vgg_clear",
    "mask/vgg_obstructed",
    "mask/unet_dfl",
)
CACHES = (".cache", ".fs_cache")

_NUMBER = re.compile(r"^\s*git_model_id\s*(?::\s*\w+\s*)?=\s*(\d+)\s*$", re.M)
_NAMES = re.compile(r"^\s*model_filename\s*=\s*(\[[^\]]*\]|\"[^\"]*\"|'[^']*')\s*$", re.M)

Names = Union[str, List[str]]


class FetchError(Exception):
    """The weights are unavailable, or are not what was recorded; one sentence."""


def wanted(source: str, plugin: str) -> Tuple[Names, int]:
    """The file names and the number of a plugin's weights; raises FetchError."""
    path = os.path.join(source, "plugins", "extract", plugin + ".py")
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise FetchError("The plugin %s cannot be read: %s." % (plugin, error)) from error
    number, names = _NUMBER.search(text), _NAMES.search(text)
    if number is None or names is None:
        raise FetchError("%s no longer says which weights it needs." % path)
    return ast.literal_eval(names.group(1)), int(number.group(1))


def fetch(get_model: Any, source: str, plugin: str) -> None:
    """Let upstream's downloader fetch a plugin's weights; raises FetchError."""
    names, number = wanted(source, plugin)
    if "cache_dir" in inspect.signature(get_model.__init__).parameters:
        cache = os.path.join(source, "plugins", "extract", plugin.split("/")[0], ".cache")
        os.makedirs(cache, exist_ok=True)
        got = get_model(names, cache, number)
    else:
        os.makedirs(os.path.join(source, ".fs_cache"), exist_ok=True)
        got = get_model(names, number)
    paths = got.model_path if isinstance(got.model_path, list) else [got.model_path]
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise FetchError("The weights of %s did not come: %s." % (plugin, missing[0]))


def listing(source: str) -> str:
    """The SHA-256 and path of every file of weights, in the manner of sha256sum, sorted."""
    found: Dict[str, str] = {}
    for place, _, names in os.walk(source):
        parts = os.path.relpath(place, source).split(os.sep)
        if not set(parts) & set(CACHES) or parts[:2] == ["lib", "gui"]:
            continue
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as stream:
                found[path] = hashlib.sha256(stream.read()).hexdigest()
    return "".join("%s  %s\n" % (digest, path) for path, digest in sorted(found.items()))


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Fetch, record and compare; the exit code."""
    asked = list(sys.argv[1:] if argv is None else argv)
    source, record = asked[0], asked[1]
    expected = asked[2] if len(asked) > 2 else ""
    # Upstream finds its own folder by the program's name.
    sys.argv[0] = os.path.join(source, "faceswap.py")
    sys.path.insert(0, source)
    os.environ["FACESWAP_BACKEND"] = "cpu"
    try:
        importlib.import_module("lib.logger")  # its loggers have levels of their own
        get_model = importlib.import_module("lib.utils").GetModel
        for plugin in PLUGINS:
            fetch(get_model, source, plugin)
        found = listing(source)
        digest = hashlib.sha256(found.encode("utf-8")).hexdigest()
        if expected and digest != expected:
            raise FetchError("The weights are %s, but %s is recorded." % (digest, expected))
    except FetchError as error:
        sys.stderr.write("%s\n" % error)
        return 1
    unverified = os.path.join(os.path.dirname(os.path.abspath(record)), "unverified.sha256")
    for path in [record] if expected else [record, unverified]:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(found)
    print(found + "Weights, all of them: %s" % digest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
