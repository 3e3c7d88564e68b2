"""Public names of a package, imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module


def find(package: str, modules: Collection[str], name: str, *, needs: str, hint: str) -> object:
    """What has that name in the first of the modules that has it.

    Args:
        package: The package of the modules.
        modules: The cheapest to import first.
        name: What is asked for.
        needs: Packages of an extra, with blanks between them.
        hint: What to say where one of these is not installed.

    Raises:
        AttributeError: No module has it.
        ImportError: An extra is not installed.
    """
    for module in modules:
        try:
            found = getattr(import_module(f"{package}.{module}"), name, None)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in needs.split():
                raise
            raise ImportError(hint) from error
        if found is not None:
            return found
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
