"""Tables of ``python -m benchmarks.speed``."""

import pandas as pd


def speed(figures):
    """Yield ratios of CPU time, or of wall-clock time for parallel runs."""
    yield "what", "compared with", "ratio", "range", "target"
    for row in figures:
        ratio = row[row.get("counts", "cpu")]
        # The range is that of CPU time.
        has_range = "lowest" in row and row.get("counts", "cpu") == "cpu"
        spread = f"{row['lowest']:.2f} to {row['highest']:.2f}" if has_range else ""
        reach = "" if row["reach"] is None else f"{row['reach']:.2f}"
        yield row["what"], row["against"], f"{ratio:.2f}", spread, reach


def floor(figures):
    """Yield lower bounds of the time of a beat and the measured time."""
    yield "what", "MFLOP", "MB", "arithmetic, µs", "memory, µs", "measured, µs"
    for row in figures:
        times = ("microseconds_arithmetic", "microseconds_memory", "microseconds")
        yield (
            row["what"],
            f"{row['mflop']:.1f}",
            f"{row['mbyte']:.2f}",
            *(f"{row[name]:.0f}" for name in times),
        )


#: Minutes of CPU time in the table of accuracies.
MINUTES = range(1, 11)


def front(figures):
    """Yield the accuracy of the largest run of each family within a number of minutes."""
    yield "accuracy after", *(f"{minute} min" for minute in MINUTES)
    for family, runs in pd.DataFrame(figures).groupby("what", sort=False):
        runs = runs.sort_values("effort")
        fit = (runs["accuracy"][runs["minutes"] <= minute] for minute in MINUTES)
        yield family, *(f"{values.iloc[-1]:.4f}" if len(values) else "" for values in fit)


def recordings(figures):
    """Yield time and memory of whole recordings."""
    yield "what", "hours", "CPU time, s", "s for 24 h", "peak memory, MB", "of it imports, MB"
    for row in figures:
        yield (
            row["what"],
            str(row["hours"]),
            f"{row['cpu_s']:.0f}",
            f"{24 * row['cpu_s'] / row['hours']:.0f}",
            str(row["peak_mb"]),
            str(row["imports_mb"]),
        )


#: Functions that yield the rows of each part.
SPEED = {
    "speed-recordings": recordings,
    "speed-floor": floor,
    "speed-front": front,
    **{
        f"speed-{part}": speed
        for part in (
            *("training", "prediction", "records", "csv", "transforms"),
            *("imports", "grid", "memory", "size", "twelve-leads"),
        )
    },
}
