#!/usr/bin/env python3
"""The benchmark's report, without its engines: are the figures what their series say, does a
missed target show, and does compare refuse what it must?

  bench_report_test.py --bench TREE/bench
"""

import argparse
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

MILLION = 1_000_000
# The figures that every quick run must be able to yield.
QUICK = """verify_hit_1m_over_floor verify_allocations verify_storage_reads verify_class_spread_1m
sqlite_over_verify_1m lmdb_over_verify_1m verify_single_over_batch32_1m
verify_2_threads_gain_over_floor_gain verify_p99_under_writes_over_idle
create_durable_over_fdatasync create_64_threads_over_1 revoke_worst_during_import_ms
revoke_worst_during_sweep_1m_ms revoke_all_1m_returns_s page_any_100k_us page_any_1m_us
sqlite_over_page_first_100k sqlite_over_page_last_100k list_cold_1m_s search4_common_100k_ms
search4_rare_100k_ms search4_common_1m_ms search4_rare_1m_ms search4_hex_100k_ms search4_hex_1m_ms
import_live_per_s import_empty_per_s open_first_verdict_1m_s open_first_verdict_1m_after_kill_s
table_full_1m_s verify_table_bytes_per_credential_1m""".split()

MACHINE = {"processor": "Test", "cores": 2, "memory_gib": 4, "system": "Linux", "kernel": "6",
           "architecture": "x86_64", "huge_pages": "madvise", "file_system": "ext2/ext3"}


def series_of(*rows):
    return {(what, engine, population): {"what": what, "engine": engine, "population": population,
                                         "unit": "ns", "samples": samples}
            for what, engine, population, samples in rows}


SERIES = series_of(
    ("hit", "latchkey", MILLION, [400, 300, 200]),
    ("hit", "floor", MILLION, [200, 200, 200]),
    ("hit", "sqlite", MILLION, [6000, 6000, 6000]),
    ("hit", "sqlite_reference", MILLION, [9000, 1, 9000]),
    *((f"class_{name}", "latchkey", MILLION, [100 + number])
      for number, name in enumerate(("right", "unknown", "one_bit_off", "revoked", "expired",
                                     "locked"))),
    ("allocations", "latchkey", MILLION, [0]),
    ("revoke_worst_during_import", "latchkey", MILLION, [10, 51, 20]),
    ("revoke_median_during_import", "floor", MILLION, [2, 2, 2]),
    ("threads_1", "latchkey", MILLION, [1.0]), ("threads_2", "latchkey", MILLION, [1.5]),
    ("threads_1", "floor", MILLION, [2.0]), ("threads_2", "floor", MILLION, [4.0]),
    ("page_first", "latchkey", 100_000, [1000]), ("page_quarter", "latchkey", 100_000, [5000]),
    ("page_middle", "latchkey", 100_000, [2000]), ("page_last", "latchkey", 100_000, [3000]))


def report_of(definitions):
    found = definitions.figures(SERIES)
    return {"report": 1, "mode": "quick", "machine": MACHINE, "commit": "abc", "date": "2026-01-01",
            "load_before": 0.1, "load_after": 0.2, "seconds": 3, "figures": found,
            "missing": definitions.missing(found), "series": list(SERIES.values()), "failed": []}


class Figures(unittest.TestCase):
    def test_every_figure_of_a_quick_run_is_defined(self):
        for key in QUICK:
            self.assertIn(key, definitions.DEFINITIONS)
            self.assertIn(key, definitions.TARGETS)

    def test_shape(self):
        found = definitions.figures(SERIES)
        for key, one in found.items():
            self.assertLessEqual({"value", "median", "spread", "n", "unit"}, set(one), key)
            self.assertLessEqual(one["spread"][0], one["median"])
            self.assertEqual("target" in one, key in definitions.TARGETS)
        self.assertNotIn("lmdb_over_verify_1m", found)
        self.assertIn("lmdb_over_verify_1m", definitions.missing(found))

    def test_a_ratio_is_taken_round_by_round(self):
        one = definitions.figure("verify_hit_1m_over_floor", SERIES)
        self.assertEqual((one["value"], one["spread"], one["n"]), (1.5, [1.0, 2.0], 3))
        self.assertFalse(one["met"])

    def test_the_faster_peer_counts(self):
        self.assertEqual(definitions.figure("sqlite_over_verify_1m", SERIES)["value"], 20)

    def test_the_slowest_counts(self):
        spread = definitions.figure("verify_class_spread_1m", SERIES)
        self.assertEqual((spread["value"], spread["met"]), (1.05, True))
        self.assertEqual(definitions.figure("page_any_100k_us", SERIES)["value"], 5)

    def test_the_worst_counts_and_an_fsync_is_allowed_for(self):
        one = definitions.figure("revoke_worst_during_import_ms", SERIES)
        self.assertEqual((one["value"], one["target"]["number"], one["met"]), (51, 52, True))

    def test_gains(self):
        one = definitions.figure("verify_2_threads_gain_over_floor_gain", SERIES)
        self.assertEqual(one["value"], 0.75)

    def test_the_page_needs_no_network_and_names_every_figure(self):
        report = report_of(definitions)
        text = plots.page(report)
        for key in report["figures"]:
            self.assertIn(key, text)
        self.assertIn("missed", text)
        self.assertEqual(set(re.findall(r"https?://[^\"' ]*", text)),
                         {"http://www.w3.org/2000/svg"})
        self.assertIn("<polyline", text)

    def test_the_table_holds_what_the_report_holds(self):
        table = plots.readme_table(report_of(definitions))
        self.assertIn("| `verify_hit_1m_over_floor` | 1.5 |", table)
        self.assertIn("**missed**", table)


class Compare(unittest.TestCase):
    def compare(self, before, after):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, report in (("before", before), ("after", after)):
                paths.append(pathlib.Path(folder) / f"{name}.json")
                paths[-1].write_text(report if isinstance(report, str) else json.dumps(report))
            return subprocess.run([sys.executable, "-B", str(bench / "compare"), *map(str, paths)],
                                  capture_output=True, text=True, check=False)

    def test_before_and_after(self):
        before = report_of(definitions)
        after = copy.deepcopy(before)
        after["figures"]["verify_hit_1m_over_floor"].update(value=3.0, spread=[2.9, 3.1])
        del after["figures"]["verify_allocations"]
        done = self.compare(before, after)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"verify_hit_1m_over_floor +1\.5 +3 +\+100\.0 % x +WORSE")
        self.assertRegex(done.stdout, r"verify_allocations +only before")
        self.assertRegex(done.stdout, r"page_any_100k_us +5 +5 +\+0\.0 % us\n")

    def test_another_machine_is_refused(self):
        before = report_of(definitions)
        after = copy.deepcopy(before)
        after["machine"]["cores"] = 64
        done = self.compare(before, after)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("different machines", done.stderr)

    def test_what_is_no_report_is_refused(self):
        for text in ("", "{}", "[]", '{"report": 2}'):
            self.assertEqual(self.compare(text, report_of(definitions)).returncode, 2, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", type=pathlib.Path, required=True)
    bench = parser.parse_args().bench.resolve()
    sys.path.insert(0, str(bench))
    import definitions
    import plots
    unittest.main(argv=sys.argv[:1])
