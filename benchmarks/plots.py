"""Plots as SVG: text as text, and nothing moves but what was measured."""

import io
import math
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl  # pyright: ignore[reportMissingImports]
from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]

from .runner import Bars

mpl.rcParams.update(
    {
        "svg.hashsalt": "deerapi-remix",
        "svg.fonttype": "none",
        "axes.grid": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.alpha": 0.3,
        "font.size": 9,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
    }
)
# Inches around the axes, so that they stand where they stand whatever the labels say.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN = 3.0, 2.4, 0.7, 0.3, 0.7, 0.5, 0.9


def new(rows: int, columns: int, *, left: float = _LEFT, between: float = _BETWEEN) -> tuple[Any, Any]:
    """A figure and its axes; `left` and `between` are the inches that labels have."""
    width = left + columns * _WIDTH + (columns - 1) * between + _RIGHT
    height = _TOP + rows * _HEIGHT + (rows - 1) * _BETWEEN + _BOTTOM
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        left=left / width,
        right=1 - _RIGHT / width,
        top=1 - _TOP / height,
        bottom=_BOTTOM / height,
        wspace=between / _WIDTH,
        hspace=_BETWEEN / _HEIGHT,
    )
    return figure, axes


def save(figure: Any, folder: Path, name: str) -> None:
    """Write it, one element a line."""
    for axis in figure.axes:
        axis.minorticks_off()
        for one in (axis.xaxis, axis.yaxis):
            if one.get_scale() == "log":  # Else in pieces, as a formula.
                one.set_major_formatter("{x:,g}")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    (folder / f"{name}.svg").write_text(re.sub(r' d="([^"]*)"', _one_line, drawn.getvalue()))


def _one_line(path: re.Match[str]) -> str:
    """A path in tenths of a point, without line breaks."""
    rounded = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), path[1])
    return f' d="{" ".join(rounded.split())}"'


def bars(folder: Path, plot: Bars) -> None:
    """One group of bars for each of its groups."""
    figure, axes = new(1, len(plot.values), left=2.4, between=0.3)
    for axis, (group, values) in zip(axes.flat, plot.values.items(), strict=True):
        shown = axis.barh(list(values), list(values.values()), color=["tab:orange", *["tab:blue"] * (len(values) - 1)])
        axis.bar_label(shown, fmt="{:.3g}", padding=2, fontsize="small")
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.set(title=group, xlabel=plot.axis)
        lowest, highest = min(values.values()), max(values.values())
        if plot.logarithmic:  # From a power of ten to another, which stay the same in the next run.
            axis.set(xscale="log")
            axis.set_xlim(10.0 ** (math.ceil(math.log10(lowest)) - 1), 10.0 ** math.ceil(math.log10(highest * 3)))
        else:
            axis.set_xlim(0, _round_up(highest * 1.2))
        axis.label_outer()
    figure.suptitle(plot.title)
    save(figure, folder, plot.name)


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten, which stays the same in the next run."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power)
