"""The figures of report.json: what each is made of, and what it ought to reach.

A figure is a ratio of two series taken round by round, or one series alone. A round is one turn of
each; ratios of one round met the same machine.
"""

import statistics

# key: (kind, arguments, unit, target). A series is named (what, engine, population).
#   ratio     numerator / denominator, round by round; the median
#   fastest   the same, with the fastest of several numerators
#   fastest_round   the smallest sample over each of the denominator's
#   value     the median of one series, times a factor
#   worst     the largest sample of several series, times a factor
#   slowest   the series with the largest median, times a factor
#   classes   the median of the slowest class over that of the fastest
#   gains     what two threads gain over one, over what the floor gains
# A target is ("<=" or ">=", number), and may be a number with a series behind it whose median is
# added: 50 ms and an fsync.
LATCHKEY = "latchkey"
MILLION = 1_000_000
CLASSES = ("right", "unknown", "one_bit_off", "revoked", "expired", "locked")


def ours(what, population=MILLION):
    return (what, LATCHKEY, population)


def ratio(above, below, unit="x"):
    return ("ratio", (above, below), unit)


def value(series, factor=1.0, unit=""):
    return ("value", (series, factor), unit)


def worst(series, factor, unit):
    return ("worst", ([series], factor), unit)


def slowest(names, population, factor, unit):
    return ("slowest", ([ours(name, population) for name in names], factor), unit)


PAGES = ("page_first", "page_quarter", "page_middle", "page_last")


def of_population(population, label):
    """The figures that are asked at each population, and have a target only where issue and room
    for it are."""
    return {
        f"verify_hit_{label}_over_floor":
            ratio(ours("hit", population), ("hit", "floor", population)),
        f"verify_hit_{label}_over_floor_overlapped":
            ratio(ours("hit_overlapped", population), ("hit_overlapped", "floor", population)),
        f"verify_hit_{label}_ns": value(ours("hit", population), 1, "ns"),
        f"floor_{label}_ns": value(("hit", "floor", population), 1, "ns"),
        f"sqlite_over_verify_{label}":
            ("fastest", ([("hit", "sqlite", population),
                          ("hit", "sqlite_reference", population)], ours("hit", population)), "x"),
        f"sqlite_reference_over_verify_{label}":
            ratio(("hit", "sqlite_reference", population), ours("hit", population)),
        f"lmdb_over_verify_{label}": ratio(("hit", "lmdb", population), ours("hit", population)),
        # By its fastest round: a server on a machine's two cores waits for them more than it works.
        f"postgres_over_verify_{label}":
            ("fastest_round", (("hit", "postgres", population), ours("hit", population)), "x"),
        f"redis_over_verify_{label}":
            ("fastest_round", (("hit", "redis", population), ours("hit", population)), "x"),
        f"verify_table_bytes_per_credential_{label}":
            value(ours("table_bytes", population), 1, "bytes"),
        f"disk_bytes_per_credential_{label}": value(ours("disk_bytes", population), 1, "bytes"),
        f"verify_single_over_batch32_{label}":
            ratio(ours("batch_single", population), ours("batch_32", population)),
        f"verify_class_spread_{label}":
            ("classes", [ours(f"class_{name}", population) for name in CLASSES], "x"),
        f"import_empty_{label}_per_s": value(ours("import_empty", population), 1, "a second"),
        f"page_any_{label}_us": slowest(PAGES, population, 1e-3, "us"),
        f"search4_common_{label}_ms":
            value(ours("search_common", population), 1e-6, "ms"),
        f"search4_rare_{label}_ms":
            slowest(("search_rare", "search_absent"), population, 1e-6, "ms"),
        f"search4_hex_{label}_ms": value(ours("search_hex", population), 1e-6, "ms"),
        f"search1_{label}_ms": value(ours("search_one_letter", population), 1e-6, "ms"),
        f"directory_bytes_per_row_{label}":
            value(ours("directory_bytes", population), 1, "bytes"),
        f"open_first_verdict_{label}_s":
            value(ours("open_first_verdict", population), 1, "s"),
        f"open_first_verdict_{label}_after_kill_s":
            value(ours("open_first_verdict_after_kill", population), 1, "s"),
        f"table_full_{label}_s": value(ours("table_full", population), 1, "s"),
        f"list_cold_{label}_s": value(ours("list_cold", population), 1, "s"),
    }


WRITES = 10_000  # the population of the store that is written to one by one

DEFINITIONS = {
    **of_population(10_000, "10k"),
    **of_population(100_000, "100k"),
    **of_population(MILLION, "1m"),
    **of_population(10 * MILLION, "10m"),
    "verify_table_bytes_per_credential_13m": value(ours("table_bytes", 13 * MILLION), 1, "bytes"),
    "verify_allocations": value(ours("allocations"), 1, "of 200,000"),
    "verify_storage_reads": value(ours("storage_reads"), 1, "of 200,000"),
    "verify_2_threads_gain_over_floor_gain":
        ("gains", (ours("threads_2"), ours("threads_1"), ("threads_2", "floor", MILLION),
                   ("threads_1", "floor", MILLION)), "x"),
    "verify_p99_under_writes_over_idle": ratio(ours("p99_under_writes"), ours("p99_idle")),
    "verify_p99_idle_ns": value(ours("p99_idle"), 1, "ns"),
    "creates_beside_verify_per_s": value(ours("creates_beside_verify"), 1, "a second"),
    "create_durable_over_fdatasync":
        ratio(ours("durable_create", WRITES), ("durable_write", "floor", WRITES)),
    "revoke_durable_over_fdatasync":
        ratio(ours("durable_revoke", WRITES), ("durable_write", "floor", WRITES)),
    "fdatasync_ms": value(("durable_write", "floor", WRITES), 1, "ms"),
    "create_64_threads_over_1": ratio(ours("creates_64", WRITES), ours("creates_1", WRITES)),
    "create_64_threads_per_s": value(ours("creates_64", WRITES), 1, "a second"),
    "revoke_worst_during_import_ms": worst(ours("revoke_worst_during_import"), 1, "ms"),
    "fsync_worst_during_import_ms":
        worst(("revoke_worst_during_import", "floor", MILLION), 1, "ms"),
    # The same import makes the table of 10M grow, one segment after another.
    "revoke_worst_during_growth_10m_ms":
        worst(ours("revoke_worst_during_import", 10 * MILLION), 1, "ms"),
    "revoke_worst_during_sweep_1m_ms": worst(ours("revoke_worst_during_sweep"), 1, "ms"),
    "fsync_worst_during_sweep_1m_ms":
        worst(("revoke_worst_during_sweep", "floor", MILLION), 1, "ms"),
    "revoke_all_1m_returns_s": value(ours("revoke_all"), 1, "s"),
    "import_live_per_s": value(ours("import_live"), 1, "a second"),
    # Of 115,000 credentials; the store of a million is kept from run to run.
    "import_empty_per_s": value(ours("import_empty", 100_000), 1, "a second"),
    "sqlite_over_page_first_100k":
        ratio(("page_first", "sqlite", 100_000), ours("page_first", 100_000)),
    "sqlite_over_page_last_100k":
        ratio(("page_last", "sqlite", 100_000), ours("page_last", 100_000)),
}

TARGETS = {
    "verify_hit_1m_over_floor": ("<=", 1.35),
    "verify_hit_10m_over_floor": ("<=", 1.25),
    "verify_allocations": ("<=", 0),
    "verify_storage_reads": ("<=", 0),
    "verify_class_spread_1m": ("<=", 1.10),
    "sqlite_over_verify_1m": (">=", 10),
    "lmdb_over_verify_1m": (">=", 3),
    "redis_over_verify_1m": (">=", 40),
    "verify_single_over_batch32_1m": (">=", 1.5),
    "verify_single_over_batch32_10m": (">=", 2),
    "verify_2_threads_gain_over_floor_gain": (">=", 0.95),
    "verify_p99_under_writes_over_idle": ("<=", 2),
    "create_durable_over_fdatasync": ("<=", 1.3),
    "create_64_threads_over_1": (">=", 5),
    "revoke_worst_during_growth_10m_ms":
        ("<=", 50, ("revoke_median_during_import", "floor", 10 * MILLION)),
    "revoke_worst_during_import_ms":
        ("<=", 50, ("revoke_median_during_import", "floor", MILLION)),
    "revoke_worst_during_sweep_1m_ms":
        ("<=", 50, ("revoke_median_during_sweep", "floor", MILLION)),
    "revoke_all_1m_returns_s": ("<=", 1),
    "page_any_100k_us": ("<=", 4),
    "page_any_1m_us": ("<=", 4),
    "sqlite_over_page_first_100k": (">=", 1.5),
    "sqlite_over_page_last_100k": (">=", 1000),
    "list_cold_1m_s": ("<=", 1.5),
    "search4_common_100k_ms": ("<=", 0.5),
    "search4_rare_100k_ms": ("<=", 0.1),
    "search4_common_1m_ms": ("<=", 6),
    "search4_rare_1m_ms": ("<=", 0.5),
    "search4_hex_100k_ms": ("<=", 1.2),
    "search4_hex_1m_ms": ("<=", 15),
    "import_live_per_s": (">=", 20_000),
    "import_empty_per_s": (">=", 80_000),
    "open_first_verdict_1m_s": ("<=", 0.5),
    "open_first_verdict_10m_s": ("<=", 2),
    "open_first_verdict_1m_after_kill_s": ("<=", 0.5),
    "open_first_verdict_10m_after_kill_s": ("<=", 2),
    "table_full_1m_s": ("<=", 3),
    "table_full_10m_s": ("<=", 15),
    "verify_table_bytes_per_credential_1m": ("<=", 120),
    "verify_table_bytes_per_credential_10m": ("<=", 120),
    "verify_table_bytes_per_credential_13m": ("<=", 120),
}


def samples_of(kind, arguments, series):
    """The samples that a figure is the summary of, or None where a series is missing."""
    def get(name):
        return series[name]["samples"]

    try:
        if kind == "ratio":
            above, below = arguments
            return [a / b for a, b in zip(get(above), get(below))]
        if kind == "fastest":
            above, below = arguments
            best = min((get(name) for name in above), key=statistics.median)
            return [a / b for a, b in zip(best, get(below))]
        if kind == "fastest_round":
            above, below = arguments
            return [min(get(above)) / b for b in get(below)]
        if kind == "value":
            name, factor = arguments
            return [sample * factor for sample in get(name)]
        if kind in ("worst", "slowest"):
            names, factor = arguments
            chosen = max((get(name) for name in names), key=statistics.median)
            return [sample * factor for sample in chosen]
        if kind == "classes":
            of_class = [get(name) for name in arguments]
            slow = max(of_class, key=statistics.median)
            fast = min(of_class, key=statistics.median)
            return [a / b for a, b in zip(slow, fast)]
        if kind == "gains":
            two, one, floor_two, floor_one = (get(name) for name in arguments)
            return [(a / b) / (c / d) for a, b, c, d in zip(two, one, floor_two, floor_one)]
    except KeyError:
        return None
    raise ValueError(kind)


def figure(key, series):
    """One figure, or None if this run has not measured what it is made of."""
    kind, arguments, unit = DEFINITIONS[key]
    samples = samples_of(kind, arguments, series)
    if not samples:
        return None
    median = statistics.median(samples)
    out = {"value": max(samples) if kind == "worst" else median, "median": median,
           "spread": [min(samples), max(samples)], "n": len(samples), "unit": unit}
    if key in TARGETS:
        sign, number, *added = TARGETS[key]
        if added and added[0] in series:
            number += statistics.median(series[added[0]]["samples"])
        out["target"] = {"sign": sign, "number": number}
        out["met"] = out["value"] <= number if sign == "<=" else out["value"] >= number
    return out


def figures(series):
    """All figures that these series hold, in the order of DEFINITIONS."""
    out = {}
    for key in DEFINITIONS:
        made = figure(key, series)
        if made is not None:
            out[key] = made
    return out


def missing(found):
    """The figures with a target that this run has not measured."""
    return [key for key in TARGETS if key not in found]
