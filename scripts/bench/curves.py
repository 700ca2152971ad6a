"""Growth curves as pictures, from bench.json: `make bench CURVES=1` draws docs/images/scale-*.svg."""

from collections.abc import Sequence
from pathlib import Path

from amlspec.errors import UserError
from host.state import home, read_json

FOLDER = Path("docs/images")
NEEDED = "aggregate_growth_vs_read"


def draw(folder: Path = FOLDER) -> list[Path]:
    """Draw what bench.json knows; the files.

    Raises:
        UserError: the aggregate step's growth was not measured here.
    """
    known = read_json(home() / "bench.json") or {}
    if NEEDED not in known:
        raise UserError(f"{home() / 'bench.json'} has no {NEEDED}: make bench ONLY={NEEDED}")
    sizes = known[NEEDED]["detail"]["sizes"]
    rows = [each["rows"] for each in sizes]
    made = [
        _plot(
            folder / "scale-aggregate-seconds.svg",
            "Aggregate step, seconds",
            rows,
            "rows",
            {
                "step": [each["seconds"] for each in sizes],
                "DuckDB reads the columns": [e["read_seconds"] for e in sizes],
            },
        ),
        _plot(
            folder / "scale-aggregate-memory.svg",
            "Aggregate step, peak memory, MB",
            rows,
            "rows",
            {"step": [each["peak_mb"] for each in sizes]},
            logarithmic=False,
        ),
    ]
    if series := known.get("series_growth"):
        points = series["detail"]["sizes"]
        months = [each["series_months"] for each in points]
        for column, words in (("seconds", "seconds"), ("peak_mb", "peak memory, MB")):
            path = folder / f"scale-series-{'memory' if column == 'peak_mb' else column}.svg"
            values = {"training": [float(each[column]) for each in points]}
            if all("forecast" in each for each in points):
                values["forecast, in parts"] = [float(each["forecast"][column]) for each in points]
            made.append(_plot(path, f"Many series, {words}", months, "series-months", values))
    return made


def _plot(
    path: Path, title: str, x: Sequence[float], unit: str, lines: dict[str, list[float]], *, logarithmic: bool = True
) -> Path:
    import matplotlib as mpl  # noqa: PLC0415  it comes with MLflow, and takes half a second

    mpl.use("svg")
    # The same picture of the same figures, so that a diff shows a change of figures alone.
    mpl.rcParams.update({"svg.hashsalt": "scale", "svg.fonttype": "none", "font.size": 11})
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for label, values in lines.items():
        axes.plot(x, values, marker="o", label=label)
    axes.set_xscale("log")
    if logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.grid(visible=True, alpha=0.3)
    if len(lines) > 1:
        axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
