"""What a million jobs a day need, and what a thousand episodes cost: the tables of docs/scale.md, from stated figures.

    python benchmarks/scale.py [--jobs-per-day 1000000] [--write]

Each figure stands here once, with where it is from. `--write` puts the tables into docs/scale.md.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "scale.md"
PRICES = PROJECT / "supabase" / "migrations" / "20261121000650_provider_prices.sql"
BEGIN, END = "<!-- tables of benchmarks/scale.py -->\n", "<!-- end of tables -->\n"
DAY = 86_400
GBP_PER_USD = 0.76  # as in the migration of provider prices


@dataclass(frozen=True)
class Stage:
    """Of one 10-minute episode: seconds are of one job on the laptop, from docs/performance.md."""

    name: str
    jobs: int
    seconds: float
    memory_mb: int  # template.yaml
    puts: int  # files that one job stores


STAGES = (
    Stage("ingest_sources", 1, 0.02, 1024, 1),
    Stage("write_outline", 1, 0.05, 512, 1),
    Stage("write_script", 1, 0.32, 512, 1),
    Stage("speak_line", 60, 0.03, 1024, 1),
    Stage("master_episode", 1, 8.68, 1769, 4),
    Stage("publish_episode", 1, 0.03, 512, 1),
)
JOBS = sum(stage.jobs for stage in STAGES)

# Assumed, to be replaced by what an account measures: Lambda's arm64 core beside the laptop's, what an invocation
# spends on round trips to Postgres, S3 and SQS, and the busiest hour beside the mean.
SLOWER = 2.0
OVERHEAD_SECONDS = 0.3
PEAK = 4.0
FULL_CORE_MB = 1769  # AWS: one vCPU

# Measured on this project: server time and WAL of claim + complete with usage, on two cores that were both busy
# (docs/performance.md, the engine beside its peers). Bytes per row, tables with their indexes, by tests/rigs.
SERVER_MS_PER_JOB = 0.75
WAL_PER_JOB = 2_000
ROW_BYTES = {"jobs": 611, "usage_events": 317}
ROWS_PER_EPISODE = {
    "productions": 462,
    "production_stages": 6 * 257,
    "episodes": 637,
    "blocks": 60 * 256,
    "assets": 66 * 620,
}
AUDIO_BYTES = 600 * 16_000 + 60 * 10 * 48_000  # MP3 at 128 kbit/s, and the spoken lines as WAV, 24 kHz, 16 bit

# Supabase's page of compute add-ons: cores, pooler clients, USD a month. The pool to Postgres is a setting.
COMPUTE = {
    "Small": (2, 400, 15),
    "Medium": (2, 600, 60),
    "Large": (2, 800, 110),
    "XL": (4, 1_000, 210),
    "2XL": (8, 1_500, 410),
    "4XL": (16, 3_000, 960),
}
# AWS's price pages, us-east-1, without free tiers; not verified for other regions.
LAMBDA_GB_SECOND, LAMBDA_REQUEST = 0.0000133334, 0.20e-6
SQS_REQUEST, S3_PUT, S3_GB_MONTH = 0.40e-6, 5e-6, 0.023
SQS_REQUESTS_PER_JOB = 3  # send, receive, delete: an upper bound, since sends go ten to a batch
# AWS's quotas.
LAMBDA_CONCURRENCY, LAMBDA_PER_MAPPING, SQS_IN_FLIGHT, S3_PUTS_PER_PREFIX = 1_000, 1_000, 120_000, 3_500

# One episode's words with a model: what the prompts hold and what comes back is assumed, the rest is counted.
CHARACTERS, INPUT_TOKENS, OUTPUT_TOKENS = 10_000, 30_000, 6_000


def lambda_seconds(stage: Stage) -> float:
    """One job of the stage on Lambda, whose cores come with memory."""
    return OVERHEAD_SECONDS + stage.seconds * SLOWER * max(1.0, FULL_CORE_MB / stage.memory_mb)


def gb_seconds() -> float:
    """Of one episode."""
    return sum(stage.jobs * lambda_seconds(stage) * stage.memory_mb / 1024 for stage in STAGES)


def concurrency(stage: Stage, jobs_per_second: float) -> float:
    """Little's law: arrivals a second times seconds each."""
    return jobs_per_second * stage.jobs / JOBS * lambda_seconds(stage)


def price(provider: str, model: str, unit: str) -> float:
    """GBP per unit, from the migration that fills provider_prices."""
    row = re.search(rf"\('{provider}', '{re.escape(model)}', '{unit}', ([0-9.]+),", PRICES.read_text())
    if row is None:
        raise SystemExit(f"no price of {provider}/{model} per {unit}")
    return float(row[1])


def compute_for(clients: float, cores: float) -> str:
    """The smallest that holds so many clients and is at most half busy."""
    return next(name for name, (has, takes, _) in COMPUTE.items() if takes >= clients and has >= 2 * cores)


def demand(jobs_per_day: int) -> list[str]:
    mean = jobs_per_day / DAY
    peak = mean * PEAK
    cores = peak * SERVER_MS_PER_JOB / 1000
    running = sum(concurrency(stage, peak) for stage in STAGES)
    episodes = jobs_per_day / JOBS
    rows = jobs_per_day * sum(ROW_BYTES.values()) + episodes * sum(ROWS_PER_EPISODE.values())
    needs = {
        "episodes a day": f"{episodes:,.0f}",
        "jobs a second, mean and peak": f"{mean:.1f} and {peak:.1f}",
        "functions at once at the peak": f"{running:,.0f}",
        "round trips to Postgres a second at the peak": f"{2 * peak:,.0f}",
        "Postgres cores busy at the peak": f"{cores:.2f}",
        "server connections busy at the peak": f"{cores:.2f}",
        "compute for that": compute_for(running, cores),
        "compute for 1,000 functions at once": compute_for(1_000, cores),
        "WAL a day, without full pages": f"{jobs_per_day * WAL_PER_JOB / 1e9:.1f} GB",
        "rows a day, with indexes": f"{rows / 1e9:.2f} GB",
        "rows of 400 days": f"{400 * rows / 1e9:,.0f} GB",
        "files a day": f"{episodes * AUDIO_BYTES / 1e9:,.0f} GB",
        "SQS requests a second at the peak": f"{peak * SQS_REQUESTS_PER_JOB:,.0f}",
        "S3 puts a second at the peak": f"{peak / JOBS * sum(stage.jobs * stage.puts for stage in STAGES):,.0f}",
    }
    return ["| what | figure |", "|---|---:|", *(f"| {name} | {figure} |" for name, figure in needs.items())]


def stages(jobs_per_day: int) -> list[str]:
    peak = jobs_per_day / DAY * PEAK
    rows = [
        f"| {stage.name} | {stage.jobs} | {lambda_seconds(stage):.2f} | {concurrency(stage, peak):.1f} |"
        for stage in STAGES
    ]
    return ["| stage | jobs | seconds each | at once at the peak |", "|---|---:|---:|---:|", *rows]


def ceilings() -> list[tuple[float, str, str]]:
    """(jobs a day at a level load, what ends there, the setting that moves it), what gives first first."""
    speak = next(stage for stage in STAGES if stage.name == "speak_line")
    master = next(stage for stage in STAGES if stage.name == "master_episode")

    def by_places(stage: Stage, places: int) -> float:
        return places / lambda_seconds(stage) * JOBS / stage.jobs * DAY

    per_job = sum(stage.jobs * lambda_seconds(stage) for stage in STAGES) / JOBS
    puts = sum(stage.jobs * stage.puts for stage in STAGES) / JOBS
    found = [
        (by_places(master, 5), "master_episode: 5 places", "`StageConcurrency`"),
        (by_places(speak, 20), "speak_line: 20 places", "`SpeechConcurrency`"),
        (400 / per_job * DAY, "Supavisor clients, compute Small: 400", "compute size"),
        (1_000 / per_job * DAY, "Supavisor clients, compute XL: 1,000", "compute size"),
        (LAMBDA_CONCURRENCY / per_job * DAY, "functions at once in an account: 1,000", "a quota request to AWS"),
        (2 * DAY / SERVER_MS_PER_JOB * 1000, "Postgres, 2 cores", "compute size"),
        (S3_PUTS_PER_PREFIX / puts * DAY, "S3 puts a second for a prefix: 3,500", "S3 splits prefixes by itself"),
    ]
    return sorted(found)


def limits() -> list[str]:
    rows = [f"| {what} | {jobs / 1e6:,.1f} | {setting} |" for jobs, what, setting in ceilings()]
    return ["| what gives | million jobs a day | what moves it |", "|---|---:|---|", *rows]


def costs() -> list[str]:
    """GBP for a thousand episodes of ten minutes; storage is for one month."""
    puts = sum(stage.jobs * stage.puts for stage in STAGES)
    aws = {
        "Lambda, seconds": 1000 * gb_seconds() * LAMBDA_GB_SECOND,
        "Lambda, requests": 1000 * JOBS * LAMBDA_REQUEST,
        "SQS": 1000 * JOBS * SQS_REQUESTS_PER_JOB * SQS_REQUEST,
        "S3, puts": 1000 * puts * S3_PUT,
        "S3, a month's storage": 1000 * AUDIO_BYTES / 1e9 * S3_GB_MONTH,
    }
    lines = {name: usd * GBP_PER_USD for name, usd in aws.items()}
    monthly = 30 * 1_000_000 / JOBS / 1000  # thousands of episodes at a million jobs a day
    lines["Supabase XL, its share at a million jobs a day"] = COMPUTE["XL"][2] / monthly * GBP_PER_USD
    lines["machinery in all"] = sum(lines.values())
    for model in ("gpt-5.4-mini", "gpt-5.5"):
        tokens = INPUT_TOKENS * price("openai", model, "input_token")
        tokens += OUTPUT_TOKENS * price("openai", model, "output_token")
        lines[f"words by openai/{model}"] = 1000 * tokens
    for engine in ("neural", "generative"):
        lines[f"voices by polly/{engine}"] = 1000 * CHARACTERS * price("polly", engine, "character")
    lines["words and voices offline"] = 0.0
    return ["| for a thousand episodes | GBP |", "|---|---:|", *(f"| {n} | {gbp:,.2f} |" for n, gbp in lines.items())]


def tables(jobs_per_day: int) -> str:
    parts = (
        (f"### What {jobs_per_day:,} jobs a day need", demand(jobs_per_day)),
        ("### Places by stage", stages(jobs_per_day)),
        ("### What gives first", limits()),
        ("### What a thousand episodes cost", costs()),
    )
    return "\n\n".join("\n".join([title, "", *rows]) for title, rows in parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs-per-day", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    made = tables(arguments.jobs_per_day)
    print(made)
    if arguments.write:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + made + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
