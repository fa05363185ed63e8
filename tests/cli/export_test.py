"""A whole export of the reference system: every one of its verdicts must be ours. Runs where
LATCHKEY_SHARED_DATA names the folder that holds it."""

import json
import os
import pathlib
import unittest

from harness import CliTest

DATA = os.environ.get("LATCHKEY_SHARED_DATA", "")
JUDGED_AT = "1795000000"


@unittest.skipUnless(DATA, "LATCHKEY_SHARED_DATA is not set")
class Export(CliTest):
    def setUp(self):
        super().setUp()
        self.export = pathlib.Path(DATA).resolve() / "bencher.ndjson"
        self.lines = len(self.export.read_bytes().splitlines())
        lines = (pathlib.Path(DATA) / "bencher-secrets.tsv").read_text("utf-8").splitlines()
        self.secrets = [line.split("\t") for line in lines]

    def test_every_verdict(self):
        report = self.json("import", str(self.export))
        self.assertEqual(report, {"imported": self.lines, "skipped": 0, "refused": []})
        self.assertGreater(len(self.secrets), 900)
        answers = self.ok("verify", "--each", "--at", JUDGED_AT, "-o", "json",
                          stdin="".join(row[3] + "\n" for row in self.secrets)).out.splitlines()
        self.assertEqual(len(answers), len(self.secrets))
        for (kind, uuid, verdict, _), text in zip(self.secrets, answers):
            answer = json.loads(text)
            self.assertEqual(
                (answer["verdict"], answer["reason"], answer["uuid"], answer["kind"]),
                ("allowed" if verdict == "allowed" else "denied", verdict, uuid, kind))
        again = self.json("import", str(self.export))
        self.assertEqual(again, {"imported": 0, "skipped": self.lines, "refused": []})


if __name__ == "__main__":
    unittest.main()
