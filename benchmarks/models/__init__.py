"""Models and features that the benchmarks compare."""
