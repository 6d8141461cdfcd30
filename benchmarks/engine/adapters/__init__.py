"""One module per engine, each run as a process of its own: `python -m benchmarks.engine.adapters.<engine> <order>`."""
