"""The book's chart vocabulary: roles, channels, marks, and pictures of anybody's runs.

Every role keeps its colour and line in all charts: measured runs, our fit, and one hue and dash
for each published law. Axes carry decade ticks; sizes read 70B and 1.4T. A chart has no title:
its takeaway is the caption, and its description is for readers who cannot see it.
"""

from .base import (
    BEYOND,
    EPOCH,
    HEIGHT,
    HOFFMANN,
    HOFFMANN_ROUNDED,
    KAPLAN,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Role,
    described,
    power_of_ten,
    rounded,
    size_label,
)
from .channels import (
    SIGNED_PERCENT,
    axis,
    by_role,
    compute_axis,
    dashes,
    extrapolated,
    hues,
    key,
    log_axis,
    loss_axis,
    params_axis,
    rows,
    shapes,
    tooltips,
)
from .fits import backtest, forest, parameter_cloud, residual_strips
from .frontier import frontier
from .marks import (
    Column,
    apart,
    at,
    band,
    budget_slider,
    end_here,
    end_names,
    label,
    menu,
    point_names,
    readout,
    row_names,
    slider,
)
from .runs import isoflop_profiles, runs_plane

__all__ = [
    "BEYOND", "EPOCH", "HEIGHT", "HOFFMANN", "HOFFMANN_ROUNDED", "KAPLAN", "OCHRE", "OURS", "QUIET",
    "RUNS", "SIGNED_PERCENT", "VIOLET", "Column", "Role", "apart", "at", "axis", "backtest", "band",
    "budget_slider", "by_role", "compute_axis", "dashes", "described", "end_here", "end_names",
    "extrapolated", "forest", "frontier", "hues", "isoflop_profiles", "key", "label", "log_axis",
    "loss_axis", "menu", "parameter_cloud", "params_axis", "point_names", "power_of_ten", "readout",
    "residual_strips", "rounded", "row_names", "rows", "runs_plane", "shapes", "size_label",
    "slider", "tooltips",
]  # fmt: skip
