"""The engine beside its peers, on one Postgres, in one run: `make bench-engine`.

protocol.py   what the runner asks of an adapter, and how a job's run is counted; read by every adapter
adapters/     one module per engine that Python drives; node/ holds those that Node drives
engines.py    the engines, their tables, and what each promises
meter.py      what the server did meanwhile: commits, statements, WAL, updates, CPU
measures.py   speed, the degraded case, a production, zombies
table.py      medians and the printed tables
__main__.py   rounds, interleaved
"""
