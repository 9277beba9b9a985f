"""Data, arguments, cached runs, timing and result files of the benchmarks."""
