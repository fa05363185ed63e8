"""Completions and the manual page know every verb and every flag of --help, and no other."""

import re
import subprocess
import unittest

from harness import SOURCE, TIMEOUT_S, CliTest
from usage_test import ALIASES, LEAVES

HOME = SOURCE / "bindings" / "cli"
COMPLETIONS = HOME / "completions"
# Runs the function as the shell would, on the words that are its arguments.
BASH = """source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _latchkey
printf '%s\\n' "${COMPREPLY[@]}" """


class Completions(CliTest):
    with_store = False

    def flags_of(self, *verb):
        """Those of the verb, and those of every verb."""
        def long_flags(out):
            return set(re.findall(r"(?m)^  (?:-[a-z],)?(--[a-z0-9-]+)", out))
        return long_flags(self.ok(*verb, "--help").out) | long_flags(self.ok("--help").out)

    def bash(self, *words):
        process = subprocess.run(["bash", "-c", BASH, COMPLETIONS / "latchkey.bash", "latchkey",
                                  *words], capture_output=True, check=True, timeout=TIMEOUT_S)
        self.assertEqual(process.stderr, b"")
        return process.stdout.decode().split()

    def test_bash_knows_the_flags_of_every_verb(self):
        for leaf in LEAVES:
            flags = self.flags_of(*leaf)
            self.assertEqual(set(self.bash(*leaf, "--")), flags, leaf)
            if leaf[-1] in ALIASES:
                self.assertEqual(set(self.bash(*leaf[:-1], ALIASES[leaf[-1]], "--")), flags, leaf)

    def test_bash_knows_the_verbs(self):
        groups = {tuple(leaf[:depth]) for leaf in LEAVES for depth in range(len(leaf))}
        for group in groups:
            due = {leaf[len(group)] for leaf in LEAVES
                   if tuple(leaf[:len(group)]) == group and len(leaf) > len(group)}
            self.assertEqual(set(self.bash(*group, "")), due, group)
            # Also behind flags with values that are called like verbs.
            self.assertEqual(set(self.bash("--store", "user", "-o", "json", *group, "")), due)

    def test_bash_knows_values(self):
        for words, due in ((["-o", ""], "table json"), (["user", "list", "--direction", ""],
                                                        "asc desc"),
                           (["--output", "=", "j"], "json"),
                           (["grant", "set", "list", "user", ""], "viewer developer maintainer"),
                           (["user", "update", "a", "--admin", ""], "true false"),
                           (["user", "create", "--name", ""], ""),
                           (["user", "view", ""], "")):
            self.assertEqual(self.bash(*words), due.split(), words)

    def test_the_others_and_the_manual_page_know_every_flag_and_verb(self):
        flags = set().union(*(self.flags_of(*leaf) for leaf in LEAVES))
        words = {word for leaf in LEAVES for word in leaf}
        manual = (HOME / "latchkey.1").read_text().replace("\\-", "-")
        fish = (COMPLETIONS / "latchkey.fish").read_text()
        zsh = (COMPLETIONS / "_latchkey").read_text()
        for text, found in ((manual, re.findall(r"--[a-z][a-z0-9-]*", manual)),
                            (zsh, re.findall(r"--[a-z][a-z0-9-]*", zsh)),
                            (fish, ["--" + flag for flag in re.findall(r" -l ([a-z0-9-]+)",
                                                                       fish)])):
            self.assertEqual(set(found) & flags, flags)
            for word in words:
                self.assertRegex(text, rf"\b{word}\b")
        for found in (re.findall(r"'(?:\*)?(--[a-z0-9-]+)\[", zsh),
                      ["--" + flag for flag in re.findall(r"complete .* -l ([a-z0-9-]+)", fish)]):
            self.assertEqual(set(found) - flags, set())


if __name__ == "__main__":
    unittest.main()
