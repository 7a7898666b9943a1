"""Benchmarks as commands: `make bench-quality`, `make bench-train`, `make hops` and more; see RESULTS.md."""
