"""tour.sh, end to end, and what it must not touch."""

import os
import shutil
import subprocess
import unittest

from harness import BINARY, DONE, SOURCE, TIMEOUT_S, Answer, CliTest

TOUR = SOURCE / "bindings" / "cli" / "tour.sh"


class Tour(CliTest):
    with_store = False

    def tour(self, store="tour", binary=BINARY, env=None):
        return Answer(
            subprocess.run(["sh", str(TOUR), binary, store], capture_output=True, check=False,
                           stdin=subprocess.DEVNULL, cwd=self.folder, env=self.environment(env),
                           timeout=TIMEOUT_S))

    def test_the_life_of_a_key(self):
        answer = self.tour()
        self.assertEqual(answer.code, 0, answer)
        verdicts = [line.split()[0] for line in answer.out.splitlines()
                    if line.startswith(("allowed ", "denied "))]
        self.assertEqual(verdicts, ["allowed"] * 4 + ["denied"])
        for verb in ("init", "import", "user key create", "user key list", "--search",
                     "user key update", "user key revoke", "| latchkey verify"):
            self.assertRegex(answer.out, rf"(?m)^\$ .*{verb.replace('|', '[|]')}")
        self.assertNotIn("\x1b", answer.out)
        self.assertEqual(len(self.json("--store", "tour", "user", "key", "list", "muriel-bagge",
                                       "--revoked")), 1)

    def test_everyday_settings_do_not_disturb_it(self):
        answer = self.tour(env={
            "LATCHKEY_OUTPUT": "json", "LATCHKEY_STORE": "elsewhere", "LATCHKEY_TTL": "1",
            "LATCHKEY_PEPPER_FILE": "elsewhere.pepper", "LATCHKEY_PER_PAGE": "0",
            "LATCHKEY_HOST": "http://127.0.0.1:1", "LATCHKEY_API_KEY": "x"})
        self.assertEqual(answer.code, 0, answer)
        self.assertFalse((self.folder / "elsewhere").exists())
        self.assertFalse((self.folder / "elsewhere.pepper").exists())

    def test_again_it_replaces_its_own_store(self):
        self.assertEqual(self.tour().code, 0)
        first = self.json("--store", "tour", "stats")["store_id"]
        answer = self.tour("tour/")
        self.assertEqual(answer.code, 0, answer)
        self.assertNotEqual(self.json("--store", "tour", "stats")["store_id"], first)

    def untouched(self, store="tour"):
        def contents():
            return {path: path.read_bytes() if path.is_file() else None
                    for path in self.folder.rglob("*") if path.name not in ("LOG", "LOCK")
                    and "rocks" not in path.parts and path.name != "ack"}
        before = contents()
        answer = self.tour(store)
        self.assertEqual(answer.code, 1, answer)
        self.assertIn("nothing was changed", answer.err)
        self.assertNotIn("$ latchkey init", answer.out)
        self.assertEqual(contents(), before)

    def test_a_foreign_folder(self):
        (self.folder / "tour").mkdir()
        (self.folder / "tour" / "file").write_text("precious")
        self.untouched()

    def test_a_foreign_store(self):
        self.ok("--store", "tour", "init")
        self.make_user_in("tour")
        self.untouched()
        self.assertEqual(len(self.json("--store", "tour", "user", "list")), 1)

    def make_user_in(self, store):
        self.ok("--store", store, "user", "create", "--name", "Precious")

    def test_a_store_that_took_the_place_of_the_tours(self):
        self.assertEqual(self.tour().code, 0)
        shutil.rmtree(self.folder / "tour")
        os.remove(self.folder / "tour.pepper")
        self.ok("--store", "tour", "init")
        self.make_user_in("tour")
        self.untouched()
        self.assertEqual(len(self.json("--store", "tour", "user", "list")), 1)

    def test_a_foreign_file_link_or_pepper(self):
        (self.folder / "file").write_text("precious")
        self.untouched("file")
        (self.folder / "lone.pepper").write_text("precious")
        self.untouched("lone")
        self.assertEqual(self.tour("real").code, 0)
        os.symlink("real", self.folder / "link")
        shutil.copy(self.folder / "real.tour", self.folder / "link.tour")
        shutil.copy(self.folder / "real.pepper", self.folder / "link.pepper")
        self.untouched("link")
        os.symlink("nowhere", self.folder / "dangling")
        self.untouched("dangling")

    def test_a_wrong_verdict_fails_the_tour(self):
        # A command that is latchkey but for one thing: it allows everything.
        liar = self.folder / "liar"
        liar.write_text(f"""#!/bin/sh
if [ "$1" = verify ]; then
  cat >/dev/null
  echo 'allowed  user_key'
  exit 0
fi
exec '{BINARY}' "$@"
""")
        liar.chmod(0o755)
        self.assertEqual(self.tour(binary=str(liar)).code, 1)
        # And one that denies what is good.
        liar.write_text(liar.read_text().replace("allowed  user_key", "denied  revoked")
                        .replace("exit 0", "exit 1"))
        answer = self.tour("other", binary=str(liar))
        self.assertEqual(answer.code, 1)
        self.assertIn("that answer is wrong", answer.err)

    def test_usage(self):
        for arguments in ([], [BINARY], [BINARY, ""], [BINARY, "a", "b"]):
            process = subprocess.run(["sh", str(TOUR), *arguments], capture_output=True,
                                     check=False, cwd=self.folder)
            self.assertEqual(process.returncode, 2, arguments)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertNotEqual(self.tour(binary="/bin/false").code, DONE)


if __name__ == "__main__":
    unittest.main()
