"""Plots as SVG and PNG, the same bytes for the same numbers."""

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl  # pyright: ignore[reportMissingImports]
from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]

from .runner import Bars

mpl.rcParams.update(
    {"svg.hashsalt": "deerapi-remix", "svg.fonttype": "none", "axes.grid": True, "grid.alpha": 0.3, "font.size": 9}
)


def new(rows: int, columns: int) -> tuple[Any, Any]:
    """A figure and its axes."""
    figure = Figure(figsize=(4.0 * columns, 3.2 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def save(figure: Any, folder: Path, name: str) -> None:
    """Write it twice."""
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    figure.savefig(folder / f"{name}.png", dpi=120, metadata={"Software": None})


def bars(folder: Path, plot: Bars) -> None:
    """One group of bars for each of its groups."""
    figure, axes = new(1, len(plot.values))
    for axis, (group, values) in zip(axes.flat, plot.values.items(), strict=True):
        shown = axis.barh(list(values), list(values.values()), color=["tab:orange", *["tab:blue"] * (len(values) - 1)])
        axis.bar_label(shown, fmt="{:.3g}", padding=2, fontsize="small")
        axis.invert_yaxis()
        axis.margins(x=0.2)
        axis.set(title=group, xlabel=plot.axis)
        if plot.logarithmic:  # From a power of ten, and with no other labels: those between overlap.
            axis.set(xscale="log")
            lowest, highest = min(values.values()), max(values.values())
            axis.set_xlim(10.0 ** (math.ceil(math.log10(lowest)) - 1), highest * 3)  # With room for the numbers.
            axis.xaxis.set_minor_formatter("")
        axis.label_outer()
    figure.suptitle(plot.title)
    save(figure, folder, plot.name)
