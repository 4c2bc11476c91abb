"""Checks of the recipe of a tool's image: whole, with a driver that old images can run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.core.errors import UsageError
from harness.model.tool import Container, Tool
from harness.tools.conformance.dockerfile import Dockerfile, read_dockerfile
from harness.tools.images.recipe import COMMON, Recipe, module_folder, read_recipe

OLDEST_PYTHON = (3, 6)


def recipe_faults(tool: Tool) -> Iterator[str]:
    """A version whose recipe cannot be read, or whose image would not keep the contract."""
    if not isinstance(tool.runs_as, Container):
        return
    said: set[str] = set()
    for version in tool.versions:
        try:
            recipe = read_recipe(tool, version)
        except (UsageError, OSError, UnicodeDecodeError) as error:
            yield f"{version}: {error}"
            continue
        # Versions share their files: what is wrong with these is said once.
        faults = dict.fromkeys(_recipe_faults(recipe))
        yield from (fault for fault in faults if fault not in said)
        said.update(faults)
    yield from _readme_faults(tool.runs_as)


def _recipe_faults(recipe: Recipe) -> Iterator[str]:
    image = read_dockerfile(recipe.files["Dockerfile"].read_text(encoding="utf-8"))
    if not image.entry_point:
        yield "The Dockerfile has no ENTRYPOINT; it must start the driver."
    if image.user.split(":")[0] in ("", "0", "root"):
        yield "The Dockerfile's last stage runs as root; it needs a USER."
    copied = image.files(recipe.files)
    if "driver.py" not in copied:
        yield "The Dockerfile's last stage does not COPY driver.py into the image."
    own = (path for name, path in recipe.files.items() if not name.startswith("common/"))
    if not any(b"upstream.json" in path.read_bytes() for path in own):
        yield "Nothing in it writes /opt/bench/upstream.json: what was really checked out."
    for name in copied:
        if name.endswith(".py"):
            yield from _module_faults(name, recipe.files, image)


def _module_faults(name: str, files: Mapping[str, Path], image: Dockerfile) -> Iterator[str]:
    try:
        tree = ast.parse(
            files[name].read_text(encoding="utf-8"), filename=name, feature_version=OLDEST_PYTHON
        )
    except (SyntaxError, UnicodeDecodeError) as error:
        yield f"{name} is no Python 3.6, which old images have: {error}"
        return
    copied = set(image.files(files))
    for imported in sorted(_neighbours(tree, files)):
        if imported == "__future__":
            yield f"{name} imports from __future__, most of which is newer than Python 3.6."
        elif imported not in copied:
            yield f"{name} imports {imported}, which the Dockerfile does not COPY into the image."


def _neighbours(tree: ast.Module, files: Mapping[str, Path]) -> set[str]:
    """Files of the recipe or of ``common/`` that a module imports; and ``__future__``."""
    shared = {path.stem for path in module_folder(COMMON).glob("*.py")}
    imported = set()
    for module in _imported(tree):
        first, last = module.split(".")[0], module.rsplit(".", 1)[-1]
        if first == "__future__":
            imported.add(first)
        elif module.startswith(f"{COMMON}.") and module.split(".")[2] in shared:
            imported.add(f"common/{module.split('.')[2]}.py")
        elif module in shared and f"{module}.py" not in files:
            imported.add(f"common/{module}.py")
        elif f"{last}.py" in files and (module == last or module.startswith("containers.")):
            imported.add(f"{last}.py")
    return imported


def _imported(tree: ast.Module) -> set[str]:
    """Every module that the text may import, `from a import b` as `a` and as `a.b`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _readme_faults(container: Container) -> Iterator[str]:
    try:
        folder = module_folder(container.recipe)
    except UsageError:
        return
    readme = folder / "README.md"
    if not readme.is_file():
        yield f"{folder} has no README.md; it says under which licences the image's parts are."
    elif "licen" not in readme.read_text(encoding="utf-8", errors="replace").lower():
        yield f"{readme} says nothing of licences."
