"""Tables of ``python -m benchmarks.speed``."""

import pandas as pd


def speed(figures):
    """Ratios of CPU time, or of the wall clock where that is what counts."""
    yield "what", "compared with", "ratio", "range", "target"
    for row in figures:
        ratio = row[row.get("counts", "cpu")]
        spread = f"{row['lowest']:.2f} to {row['highest']:.2f}" if "lowest" in row else ""
        reach = "" if row["reach"] is None else f"{row['reach']:.2f}"
        yield row["what"], row["against"], f"{ratio:.2f}", spread, reach


def floor(figures):
    """Time of a beat beside what its arithmetic and its memory must take."""
    yield "what", "MFLOP", "MB", "arithmetic, µs", "memory, µs", "measured, µs"
    for row in figures:
        times = ("microseconds_arithmetic", "microseconds_memory", "microseconds")
        yield (
            row["what"],
            f"{row['mflop']:.1f}",
            f"{row['mbyte']:.2f}",
            *(f"{row[name]:.0f}" for name in times),
        )


#: Minutes of a CPU at which the front is read.
MINUTES = range(1, 11)


def front(figures):
    """Accuracy of the run with the most effort that fits into so many minutes, of each family."""
    yield "accuracy after", *(f"{minute} min" for minute in MINUTES)
    for family, runs in pd.DataFrame(figures).groupby("what", sort=False):
        runs = runs.sort_values("effort")
        fit = (runs["accuracy"][runs["minutes"] <= minute] for minute in MINUTES)
        yield family, *(f"{values.iloc[-1]:.4f}" if len(values) else "" for values in fit)


#: What makes rows of the figures of each part.
SPEED = {
    "speed-floor": floor,
    "speed-front": front,
    **{
        f"speed-{part}": speed
        for part in (
            *("training", "prediction", "records", "csv", "transforms"),
            *("imports", "grid", "memory", "size"),
        )
    },
}
