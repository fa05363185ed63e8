#!/usr/bin/env python3
"""The table of ./dev check, without its tests: is all counted that a run of ctest has found, and is
whatever went wrong, or was not counted, wrong in the table as well?

  check_table_test.py --check TREE/tests/check
"""

import argparse
import pathlib
import sys
import tempfile
import unittest

CASE = """<testcase name="{name}" classname="{name}" time="{seconds}" status="{status}">
{inner}<properties/><system-out>{output}</system-out></testcase>"""


def case(name, output="", status="run", seconds="1.5"):
    inner = {"fail": '<failure message="Failed"/>', "notrun": '<skipped message="SKIP"/>',
             "disabled": '<skipped message="Disabled"/>'}.get(status, "")
    return CASE.format(name=name, seconds=seconds, status=status, inner=inner, output=output)


def table_of(*cases, under="release"):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "junit.xml"
        path.write_text('<?xml version="1.0"?>\n<testsuite name="x" tests="1">' + "".join(cases) +
                        "</testsuite>")
        result = table.Table()
        result.add(under, table.read_junit(path))
    return result


def row_of(result, suite, under="release"):
    row = result.rows[(suite, under)]
    return row.tried, row.wrong, row.seconds


class TableTest(unittest.TestCase):
    def test_faults_of_all_tests_of_a_suite_are_added_up(self):
        result = table_of(
            case("fault/PowerCut.A", "LATCHKEY_TEST_SEED=1\npower cut: faults 75, wrong 0, x 68"),
            case("fault/PowerCut.B", "power cut: faults 25, wrong 0\npower cut, size first: "
                                     "faults 7, wrong 0\n"))
        self.assertEqual((100, 0, 3.0), row_of(result, "power cut"))
        self.assertEqual((7, 0, 0.0), row_of(result, "power cut, size first"))
        self.assertTrue(result.is_right())

    def test_other_words_between_the_numbers(self):
        result = table_of(case("timing/compare",
                               "timing: tried 6 questions of 1000000 samples, wrong 0"))
        self.assertEqual((6, 0, 1.5), row_of(result, "timing"))

    def test_libfuzzer(self):
        result = table_of(case("fuzz/json", "#9 NEW\nDone 1234 runs in 61 second(s)\n"))
        self.assertEqual((1234, 0, 1.5), row_of(result, "fuzz/json"))
        self.assertTrue(result.is_right())

    def test_a_suite_without_faults_counts_its_tests(self):
        result = table_of(case("unit/base/A.A"), case("unit/codec/B.B"), case("cli/tour"))
        self.assertEqual((2, 0, 3.0), row_of(result, "unit"))
        self.assertEqual((1, 0, 1.5), row_of(result, "cli"))
        self.assertTrue(result.is_right())

    def test_wrong_outcomes_are_wrong_though_the_test_has_passed(self):
        result = table_of(case("crash/kill", "crash: faults 9, wrong 2"))
        self.assertEqual((9, 2, 1.5), row_of(result, "crash"))
        self.assertFalse(result.is_right())

    def test_a_failed_test_is_wrong_once(self):
        for output, tried in (("power cut: faults 3, wrong 1", 3),
                              ("power cut: faults 3, wrong 0", 3), ("killed", 1)):
            result = table_of(case("fault/PowerCut.A", output, status="fail"))
            suite = "power cut" if tried == 3 else "fault"
            self.assertEqual((tried, 1, 1.5), row_of(result, suite), output)
            self.assertEqual(1, result.wrong)
            self.assertFalse(result.is_right())
            self.assertIn("fault/PowerCut.A failed", result.text())

    def test_a_suite_that_should_count_and_does_not_is_wrong(self):
        for name in ("crash/kill", "crash/import", "fault/PowerCut.A", "fuzz/json",
                     "timing/compare", "fault/Each/FailingIo.HealsAndForgetsNothing/read",
                     "histories/interleaved",
                     "memory/secrets", "model/Model.StaysTheSame", "mutants"):
            result = table_of(case(name, "300 kills, all well"))
            self.assertEqual(1, result.wrong, name)
            self.assertFalse(result.is_right())
            self.assertIn(f"{name} printed no line", result.text())
        for name in ("fault/OnADisk.AFullDiskIsOpenedByTheReserve", "histories/Search.FindsNone"):
            self.assertTrue(table_of(case(name)).is_right(), name)

    def test_what_did_not_run_is_named_and_counts_for_nothing(self):
        result = table_of(case("fault/PowerCut.Long", status="notrun"), case("unit/a/A.A"),
                          case("memory/secrets", status="disabled"))
        self.assertEqual([("unit", "release")], list(result.rows))
        self.assertTrue(result.is_right())
        self.assertIn("release: left out: fault/PowerCut.Long (skipped), memory/secrets (disabled)",
                      result.text())

    def test_nothing_tried_is_not_right(self):
        self.assertFalse(table_of().is_right())
        self.assertFalse(table_of(case("unit/a/A.A", status="notrun")).is_right())

    def test_what_no_test_could_say_is_wrong(self):
        result = table_of(case("unit/a/A.A"))
        result.fail("asan: ctest has ended with 8")
        self.assertFalse(result.is_right())
        self.assertIn("ctest has ended with 8", result.text())

    def test_the_same_suite_under_two_sanitizers_has_two_rows(self):
        result = table_of(case("unit/a/A.A"))
        result.add("asan", [table.Test("unit/a/A.A", "run", 61.0)])
        self.assertEqual(["suite  under    tried  wrong  time", "-" * 34,
                          "unit   release      1      0  0:02",
                          "unit   asan         1      0  1:01"], result.text().splitlines())

    def test_clock(self):
        self.assertEqual(["0:00", "1:00", "59:59", "1:00:01"],
                         [table.clock(seconds) for seconds in (0.4, 59.6, 3599, 3600.6)])


class RunTest(unittest.TestCase):
    def test_progress_is_read_from_ctest(self):
        for line, due in (
                ("  3/600 Test  #12: cli/lists ............   Passed   17.71 sec\n",
                 ("3", "600", "cli/lists", "Passed")),
                ("599/600 Test #599: memory/secrets .......***Failed    1.71 sec\n",
                 ("599", "600", "memory/secrets", "***Failed")),
                ("2/3 Test #2: a/b  # GetParam() = 4-byte object <02-00> ..   Passed    0.10 sec",
                 ("2", "3", "a/b  # GetParam() = 4-byte object <02-00>", "Passed"))):
            self.assertEqual(due, run.DONE.match(line).groups())
        self.assertIsNone(run.DONE.match("        Start 12: cli/lists\n"))

    def test_every_suite_runs_without_a_sanitizer_and_the_night_is_longer(self):
        for long in (False, True):
            first = run.stages(long)[0]
            self.assertEqual(("release", []), (first.preset, first.arguments))
            self.assertIn("LATCHKEY_CHECK", first.environment)
        self.assertLess({stage.name for stage in run.stages(False)},
                        {stage.name for stage in run.stages(True)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", required=True)
    arguments, rest = parser.parse_known_args()
    sys.path.insert(0, arguments.check)
    import run  # noqa: E402
    import table  # noqa: E402
    unittest.main(argv=[sys.argv[0], *rest])
