"""A person at a terminal, played by a pseudo-terminal: questions, and secrets that stay unseen."""

import os
import pty
import select
import signal
import termios
import time
import unittest

from harness import BINARY, DONE, REFUSED, TIMEOUT_S, CliTest


def terminals_missing():
    """Why there is no terminal to be had here (a container without /dev/pts); empty if there is."""
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
    except OSError as error:
        return str(error)
    return ""


class Terminal:
    """The command on a terminal of its own: one screen for output and errors alike."""

    def __init__(self, test, *arguments):
        self.screen = b""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(test.folder)
                os.execve(BINARY, [BINARY, *arguments], test.environment({"TERM": "xterm"}))
            finally:
                os._exit(127)
        test.addCleanup(os.close, self.descriptor)

    def read(self):
        """Some more of the screen; False at the end."""
        ready, _, _ = select.select([self.descriptor], [], [], TIMEOUT_S)
        if not ready:
            raise AssertionError(f"nothing came: {self.screen}")
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.screen += data
        return bool(data)

    def wait_for(self, text):
        while text.encode() not in self.screen:
            if not self.read():
                raise AssertionError(f"no {text!r} on {self.screen}")

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.descriptor)[3] & termios.ECHO)

    def wait_for_echo(self, on):
        deadline = time.monotonic() + TIMEOUT_S
        while self.echoes() != on:
            if time.monotonic() > deadline:
                raise AssertionError("the echo did not change")
            time.sleep(0.01)

    def end(self):
        while self.read():
            pass
        status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(status), self.screen.decode()


@unittest.skipIf(terminals_missing(), terminals_missing())
class Questions(CliTest):
    def setUp(self):
        super().setUp()
        self.make_user("A\u202eB", "--slug", "a")
        self.key = self.json("user", "key", "create", "a", "--name", "CI")

    def ask(self, answer, *arguments):
        terminal = Terminal(self, *arguments)
        terminal.wait_for("[y/N] ")
        terminal.type(answer)
        return terminal.end()

    def test_revoke_asks_and_only_yes_is_yes(self):
        for answer in ("\n", "n\n", "no\n", "yea\n", "yes!\n", "y" * 100 + "\n", "\x04"):
            code, screen = self.ask(answer, "user", "key", "revoke", "a", "ci")
            self.assertEqual(code, REFUSED, screen)
            self.assertIn("'CI'", screen)
            self.assertIn(self.key["uuid"], screen)
            self.assertIn("nothing was changed", screen)
        self.ok("verify", stdin=self.key["key"])
        code, screen = self.ask("y\n", "user", "key", "revoke", "a", "ci")
        self.assertEqual(code, DONE, screen)
        self.assertEqual(self.run_cli("verify", stdin=self.key["key"]).code, REFUSED)

    def test_delete_asks(self):
        code, screen = self.ask("n\n", "user", "delete", "a")
        self.assertEqual(code, REFUSED)
        self.assertIn(r"A\u{202e}B", screen)
        self.assertNotIn("\u202e", screen)
        self.ok("user", "view", "a")
        self.assertEqual(self.ask("yes\n", "user", "delete", "a")[0], DONE)
        self.assertEqual(self.run_cli("user", "view", "a").code, REFUSED)

    def test_yes_does_not_ask(self):
        code, screen = Terminal(self, "user", "key", "revoke", "a", "ci", "--yes").end()
        self.assertEqual(code, DONE)
        self.assertNotIn("[y/N]", screen)

    def test_an_import_shows_its_progress_there(self):
        (self.folder / "empty").write_text("")
        code, screen = Terminal(self, "import", "empty").end()
        self.assertEqual(code, DONE)
        self.assertIn("0 lines", screen)


@unittest.skipIf(terminals_missing(), terminals_missing())
class Secrets(CliTest):
    def setUp(self):
        super().setUp()
        self.make_user("A")
        self.secret = self.json("user", "key", "create", "a", "--name", "CI")["key"]

    def test_a_typed_secret_does_not_show(self):
        for flags in ([], ["--each"]):
            terminal = Terminal(self, "verify", *flags)
            terminal.wait_for("Secret")
            terminal.wait_for_echo(False)
            terminal.type(self.secret + "\n")
            terminal.wait_for("allowed")
            if flags:
                terminal.type("\x04")
            code, screen = terminal.end()
            self.assertEqual(code, DONE, screen)
            self.assertNotIn(self.secret[:20], screen)

    def test_a_signal_brings_the_echo_back(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = Terminal(self, "verify")
            terminal.wait_for_echo(False)
            os.kill(terminal.pid, number)
            status = os.waitpid(terminal.pid, 0)[1]
            self.assertEqual(os.waitstatus_to_exitcode(status), -number)
            self.assertTrue(terminal.echoes())


if __name__ == "__main__":
    unittest.main()
