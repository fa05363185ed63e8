"""Lists: filters, order, pages, and what a table makes of hostile names."""

import unittest

from harness import USAGE, CliTest, seeded_random

ALPHABET = "abABz %_\u00c9\u00e9\u043a[]"


def ascii_lower(text):
    return "".join(c.lower() if c.isascii() else c for c in text)


class Pages(CliTest):
    def setUp(self):
        super().setUp()
        user = self.make_user()
        self.keys = []
        rows = []
        for i in range(33):
            key = {"type": "user_key", "uuid": f"01897bd9-0000-7000-8000-{i:012x}",
                   "user": user["uuid"], "name": f"key {i:02}", "sha256": f"{i:064x}",
                   "creation": 1700000000, "expiration": 5000000000, "revoked": None}
            rows.append(key)
            self.keys.append(key["name"])
        self.import_rows(rows)

    def names(self, *flags, **options):
        return [row["name"] for row in self.json("user", "key", "list", "muriel-bagge", *flags,
                                                 **options)]

    def footer(self, *flags):
        return self.ok("user", "key", "list", "muriel-bagge", *flags).out.splitlines()[-1]

    def test_pages(self):
        self.assertEqual(self.names(), self.keys[:8])
        self.assertEqual(self.names("--page", "0"), self.keys[:8])
        self.assertEqual(self.names("--page", "5"), self.keys[32:])
        self.assertEqual(self.names("--page", "2", "--per-page", "10"), self.keys[10:20])
        self.assertEqual(self.names("--per-page", "255"), self.keys)
        self.assertEqual(self.names("--per-page", "0"), [])
        self.assertEqual(self.names("--page", "4294967295", "--per-page", "255"), [])
        self.assertEqual(self.names(env={"LATCHKEY_PER_PAGE": "3"}), self.keys[:3])
        self.assertEqual(self.names("--per-page", "2", env={"LATCHKEY_PER_PAGE": "3"}),
                         self.keys[:2])

    def test_the_footer(self):
        for flags, due in (([], "1-8 of 33"), (["--page", "5"], "33-33 of 33"),
                           (["--page", "6"], "0 of 33"), (["--per-page", "0"], "0 of 33"),
                           (["--page", "4294967295", "--per-page", "255"], "0 of 33"),
                           (["--page", "2", "--per-page", "20"], "21-33 of 33"),
                           (["--search", "key 1"], "1-8 of 10"), (["--revoked"], "0 of 0")):
            self.assertEqual(self.footer(*flags), due, flags)

    def test_direction(self):
        self.assertEqual(self.names("--direction", "desc"), self.keys[:-9:-1])
        self.assertEqual(self.names("--direction", "asc", "--sort", "name"), self.keys[:8])

    def test_bad_flags(self):
        for flags in (["--per-page", "256"], ["--per-page", "-1"], ["--per-page", ""],
                      ["--per-page", "8 "], ["--page", "4294967296"], ["--page", "x"],
                      ["--page", "-1"], ["--page", "18446744073709551617"],
                      ["--direction", "up"], ["--direction", ""], ["--sort", "creation"],
                      ["--sort", ""], ["--name", ""], ["--name", " a"],
                      ["--page", "1", "--page", "2"]):
            for verb in (["user", "key", "list", "muriel-bagge"], ["user", "list"],
                         ["project", "list"], ["token", "list", "muriel-bagge"]):
                self.refused(USAGE, *verb, *flags)
        self.refused(USAGE, "user", "list", env={"LATCHKEY_PER_PAGE": "256"})
        # A bad value of a variable concerns only the verbs that use it.
        self.ok("stats", env={"LATCHKEY_PER_PAGE": "256", "LATCHKEY_TTL": "soon"})


class Model(CliTest):
    """Every filter against a list comprehension over the same rows."""

    def test_lists_match_the_model(self):
        seed, random = seeded_random()
        user = self.make_user()
        rows = []
        for i in range(40):
            name = ""
            while not name or name != name.strip():
                name = "".join(random.choice(ALPHABET) for _ in range(random.randint(1, 4)))
            revoked = random.random() < 0.3
            rows.append({
                "type": "user_key", "uuid": "%032x" % random.getrandbits(128), "user": user["uuid"],
                "name": name, "sha256": f"{i:064x}", "creation": 1700000000 + random.randrange(3),
                "expiration": 5000000000, "revoked": 1700000005 if revoked else None})
        for row in rows:
            digits = row["uuid"][:12] + "7" + row["uuid"][13:16] + "8" + row["uuid"][17:]
            row["uuid"] = "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20],
                                    digits[20:]])
        self.assertEqual(self.import_rows(rows)["imported"], len(rows))
        for step in range(40):
            flags, fits = [], list(rows)
            revoked = random.random() < 0.3
            if revoked:
                flags.append("--revoked")
            fits = [row for row in fits if (row["revoked"] is not None) == revoked]
            if random.random() < 0.6:
                text = "".join(random.choice(ALPHABET + "0-") for _ in range(random.randint(0, 2)))
                flags += ["--search", text]
                fits = [row for row in fits if ascii_lower(text) in ascii_lower(row["name"]) or
                        ascii_lower(text) in row["uuid"]]
            if random.random() < 0.2:
                name = random.choice(rows)["name"]
                flags += ["--name", name]
                fits = [row for row in fits if row["name"] == name]
            fits.sort(key=lambda row: (row["name"].encode(), row["creation"], row["uuid"]))
            if random.random() < 0.5:
                flags += ["--direction", "desc"]
                fits.reverse()
            page, per_page = random.randint(1, 3), random.randint(0, 20)
            flags += ["--page", str(page), "--per-page", str(per_page)]
            got = self.json("user", "key", "list", "muriel-bagge", *flags)
            due = fits[(page - 1) * per_page:page * per_page]
            self.assertEqual([row["uuid"] for row in got], [row["uuid"] for row in due],
                             f"LATCHKEY_TEST_SEED={seed} step {step} {flags}")
            footer = self.ok("user", "key", "list", "muriel-bagge", *flags).out.splitlines()[-1]
            self.assertTrue(footer.endswith(f" of {len(fits)}"),
                            f"LATCHKEY_TEST_SEED={seed} step {step} {flags} {footer}")


class Owners(CliTest):
    def test_search_covers_the_slug_and_ignores_case(self):
        self.make_user("Muriel", "--slug", "farm-owner")
        self.make_user("Eustace")
        for text, due in (("FARM", ["Muriel"]), ("m-o", ["Muriel"]), ("%", []), ("_", []),
                          ("u", ["Eustace", "Muriel"]), ("", ["Eustace", "Muriel"])):
            self.assertEqual([row["name"] for row in self.json("user", "ls", "--search", text)],
                             due, text)
        self.assertEqual(len(self.json("user", "list", "--name", "Muriel")), 1)
        self.assertEqual(self.json("user", "list", "--name", "muriel"), [])
        self.assertIn("0 of 0", self.ok("project", "list").out)


class HostileNames(CliTest):
    HOSTILE = {
        "a\u202eb": r"a\u{202e}b",
        "a\x1b[2Jb": r"a\u{1b}[2Jb",
        "a\nb": r"a\u{a}b",
        "a\rb": r"a\u{d}b",
        "a\x7fb": r"a\u{7f}b",
        "a\u009b2Jb": r"a\u{9b}2Jb",
        "a\u2066b\u2069c": r"a\u{2066}b\u{2069}c",
        "a\u200bb": r"a\u{200b}b",
        "a\U000e0041b": r"a\u{e0041}b",
        "a\\u{202e}b": r"a\\u{202e}b",
        "\u00c9clair \U0001F511": "\u00c9clair \U0001F511",
    }

    def test_tables_escape_and_json_keeps(self):
        self.make_project()
        for i, (name, shown) in enumerate(self.HOSTILE.items()):
            user = self.make_user(name, "--slug", f"u{i}")
            self.assertEqual(user["name"], name)
            for verb in (["user", "view", f"u{i}"], ["user", "list", "--name", name]):
                out = self.ok(*verb).out
                self.assertIn(shown, out)
                if shown != name:
                    self.assertNotIn(name, out)
            key = self.json("user", "key", "create", f"u{i}", "--name", name)
            out = self.ok("user", "key", "list", f"u{i}").out
            self.assertIn(shown, out)
            self.assertEqual(len(out.splitlines()), 3, out)
            out = self.ok("user", "key", "revoke", f"u{i}", key["uuid"], "--yes").out
            self.assertIn(shown, out)
            err = self.run_cli("user", "view", name).err
            if shown != name:
                self.assertNotIn(name, err)

    def test_json_holds_no_raw_control_or_direction_character(self):
        for i, name in enumerate(self.HOSTILE):
            self.make_user(name, "--slug", f"u{i}")
        out = self.ok("user", "list", "-o", "json", "--per-page", "255").out
        for c in "\u202e\x1b\r\x7f\u009b\u2066\u200b\U000e0041":
            self.assertNotIn(c, out)
        self.assertIn("\u00c9clair", out)

    def test_bytes_that_are_no_text_are_escaped_in_messages(self):
        for arguments in (["user", "view", b"a\xff\x1b[2J"], ["user", b"\xff\x1b"],
                          [b"--\xff\x1b", "x"], ["--store", b"\xff\x1b", "stats"]):
            answer = self.run_cli(*arguments)
            self.assertNotEqual(answer.code, 0)
            self.assertIn(r"\xff", answer.err)
            self.assertNotIn("\x1b", answer.err)


if __name__ == "__main__":
    unittest.main()
