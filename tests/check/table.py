"""What a check has found: the JUnit files of ctest, as rows of a table.

A test may print lines `NAME: faults N, wrong M, ...` or `NAME: tried N, wrong M, ...`: each is a
suite of its own. A suite whose tests print none counts its tests.
"""

import dataclasses
import re
import xml.etree.ElementTree

LINE = re.compile(r"^([a-z][\w ,/-]*): (?:faults|tried) (\d+)\b[^\n]*?, wrong (\d+)\b",
                  re.MULTILINE)
# How libFuzzer ends, whatever it is linked to.
LIBFUZZER = re.compile(r"^Done (\d+) runs in \d+ second", re.MULTILINE)
# The tests that must print a line when they have passed: their faults are worth nothing uncounted.
COUNTED = re.compile(
    r"crash/|fault/.*(PowerCut|FailingIo|FlippedBytes|FullDisk|RestoreCut|BackupCut)\."
    r"|fault/UnreadStoreTest\.|fuzz/|histories/(interleaved|.*Linearizable\.)|memory/|model/"
    r"|mutants|simulation/.*EveryAnswerIsRight|timing/|unit/service/(RandomRestore|RepairRandom)\.")


@dataclasses.dataclass
class Test:
    name: str
    status: str  # run, fail, notrun (skipped), disabled
    seconds: float
    output: str = ""


@dataclasses.dataclass
class Row:
    suite: str
    under: str
    tried: int = 0
    wrong: int = 0
    seconds: float = 0.0


def read_junit(path):
    """The tests of one run of ctest."""
    tests = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        tests.append(Test(case.get("name"), case.get("status"), float(case.get("time") or 0),
                          output))
    return tests


def lines_of(test):
    lines = [(name, int(tried), int(wrong)) for name, tried, wrong in LINE.findall(test.output)]
    return lines + [(test.name, int(runs), 0) for runs in LIBFUZZER.findall(test.output)]


class Table:
    def __init__(self):
        self.rows = {}
        self.remarks = []  # what is wrong, or was left out, in words
        self.wrong = 0

    def _row(self, suite, under):
        return self.rows.setdefault((suite, under), Row(suite, under))

    def add(self, under, tests):
        """`under` is what they ran under: release, asan ..."""
        left_out = []
        for test in tests:
            if test.status in ("notrun", "disabled"):
                why = "skipped" if test.status == "notrun" else "disabled"
                left_out.append(f"{test.name.split('  #')[0]} ({why})")
                continue
            self._add_test(under, test)
        if left_out:
            self.remarks.append(f"{under}: left out: {', '.join(sorted(left_out))}")

    def _add_test(self, under, test):
        lines = lines_of(test)
        row = self._row(lines[0][0] if lines else test.name.split("/")[0], under)
        row.seconds += test.seconds
        for name, tried, wrong in lines:
            self._row(name, under).tried += tried
            self._row(name, under).wrong += wrong
            self.wrong += wrong
        if not lines:
            row.tried += 1
        if test.status == "fail" and not any(wrong for _, _, wrong in lines):
            row.wrong += 1
            self.wrong += 1
        if test.status == "fail":
            self.remarks.append(f"{under}: {test.name} failed")
        elif not lines and COUNTED.match(test.name):
            row.wrong += 1
            self.wrong += 1
            self.remarks.append(f"{under}: {test.name} printed no line `NAME: faults N, wrong M`")

    def fail(self, remark):
        """Something that no test could say."""
        self.wrong += 1
        self.remarks.append(remark)

    def is_right(self):
        """Nothing wrong, and not for want of trying."""
        return self.wrong == 0 and any(row.tried for row in self.rows.values())

    def text(self):
        order = {under: place for place, under in
                 enumerate(dict.fromkeys(row.under for row in self.rows.values()))}
        rows = sorted(self.rows.values(), key=lambda row: (order[row.under], row.suite))
        cells = [("suite", "under", "tried", "wrong", "time")]
        cells += [(row.suite, row.under, f"{row.tried:,}", f"{row.wrong:,}", clock(row.seconds))
                  for row in rows]
        widths = [max(len(line[i]) for line in cells) for i in range(5)]
        out = []
        for line in cells:
            out.append("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                                 for i, (cell, width) in enumerate(zip(line, widths))))
        out.insert(1, "-" * len(out[0]))
        return "\n".join(out + self.remarks)


def clock(seconds):
    """An hour and a minute as 1:01:00."""
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
