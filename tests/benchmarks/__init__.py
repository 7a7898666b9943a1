"""Benchmarks as commands: `make bench-quality`, `make bench-train`, `make bench-pretrain`; see RESULTS.md."""
