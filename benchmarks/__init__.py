"""Benchmarks of ecgclf: accuracy, speed and memory."""
