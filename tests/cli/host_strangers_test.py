"""--host: what answers there is no latchkey host, or a broken one. Needs no host."""

import contextlib
import http.server
import json
import os
import socket
import threading
import unittest

from harness import DONE, FAILURE, NO_UUID, REFUSED, USAGE, CliTest


class Strangers(CliTest):
    with_store = False

    def serve(self, status, headers, body):
        test = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                test.seen.append((self.command, self.path, self.headers.get("Authorization")))
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def at(self, address):
        path = self.folder / "a.key"
        path.write_text("bencher_user_" + "0" * 30)
        os.chmod(path, 0o600)
        return ("--host", address, "--key-file", str(path))

    def test_answers_that_are_none(self):
        row = {"uuid": NO_UUID, "name": "A", "slug": "a", "email": None, "admin": False,
               "locked": False, "created": "2026-01-01T00:00:00Z"}
        for bad in (b"", b"<html>", b"{}", b"[]", b"null", b"[1", b"\xff",
                    json.dumps({**row, "uuid": "x"}).encode(),
                    json.dumps({**row, "slug": "a" * 65}).encode(),
                    json.dumps({**row, "name": "a" * 257}).encode(),
                    json.dumps({**row, "admin": 1}).encode(),
                    json.dumps({**row, "created": "yesterday"}).encode()):
            self.refused(FAILURE, *self.at(self.serve(200, {}, bad)), "user", "view", "a",
                         says="latchkey host")
        good = self.ok(*self.at(self.serve(200, {}, json.dumps(row).encode())), "user", "view", "a")
        self.assertIn(NO_UUID, good.out)
        # A list without its total.
        self.refused(FAILURE, *self.at(self.serve(200, {}, b"[]")), "user", "list")

    def test_what_a_host_says_cannot_move_the_cursor(self):
        evil = "\u202e\x1b[2J"
        verdict = {"active": False, "reason": evil, "kind": evil, "uuid": NO_UUID, "owner": NO_UUID}
        for code, arguments, body in ((DONE, ["stats"], {evil: evil}),
                                      (REFUSED, ["verify"], verdict)):
            address = self.serve(200, {}, json.dumps(body).encode())
            for output in ("table", "json"):
                answer = self.run_cli(*self.at(address), *arguments, "-o", output)
                self.assertEqual(answer.code, code, answer)
                self.assertNotEqual(answer.out, "")
                self.assertNotRegex(answer.out + answer.err, "[\x1b\u202e]")

    def test_no_redirect_is_followed(self):
        target = self.serve(200, {}, b"{}")
        target_seen = self.seen
        address = self.serve(302, {"Location": target + "/v0/stats"}, b"")
        self.refused(FAILURE, *self.at(address), "stats", says="302")
        self.assertEqual(target_seen, [])

    def test_statuses(self):
        for status, code in ((400, USAGE), (401, REFUSED), (403, REFUSED), (404, REFUSED),
                             (409, REFUSED), (413, USAGE), (429, FAILURE), (500, FAILURE),
                             (502, FAILURE), (503, FAILURE), (507, FAILURE)):
            body = json.dumps({"request_id": NO_UUID, "message": "no\u202e\x1b[2J\nbut"}).encode()
            answer = self.refused(code, *self.at(self.serve(status, {"x-request-id": NO_UUID},
                                                            body)), "user", "view", "a",
                                  says=["no\\u{202e}\\u{1b}[2J", "latchkey: but", NO_UUID])
            self.assertNotIn("\x1b", answer.err)

    def test_an_answer_too_large(self):
        address = self.serve(200, {}, b" " * (65 << 20))
        self.refused(FAILURE, *self.at(address), "stats", says="64 MiB")

    def test_a_connection_that_breaks_leaves_a_change_in_doubt(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connection.recv(65536)
                    connection.close()
        threading.Thread(target=hang_up, daemon=True).start()
        at = self.at(f"http://127.0.0.1:{listener.getsockname()[1]}")
        answer = self.refused(FAILURE, *at, "user", "create", "--name", "a")
        self.assertIn("may or may not", answer.err)
        answer = self.refused(FAILURE, *at, "user", "list")
        self.assertNotIn("may or may not", answer.err)
        listener.shutdown(socket.SHUT_RDWR)

    def test_the_key_goes_to_the_host_in_a_header_alone(self):
        self.refused(FAILURE, *self.at(self.serve(200, {}, b"")), "user", "view", "a b/c?d")
        self.assertEqual(self.seen[0], ("GET", "/v0/users/a%20b%2Fc%3Fd",
                                        "Bearer bencher_user_" + "0" * 30))

    def test_a_proxy_is_not_asked_for_what_is_not_encrypted(self):
        proxy = self.serve(200, {}, b"{}")
        proxy_seen = self.seen
        address = self.serve(404, {}, b'{"message":"none"}')
        self.refused(REFUSED, *self.at(address), "user", "view", "a",
                     env={"http_proxy": proxy, "HTTP_PROXY": proxy, "ALL_PROXY": proxy})
        self.assertEqual(proxy_seen, [])

    def test_in_the_clear_there_is_a_warning(self):
        # This machine, by a name that does not say so.
        self.refused(FAILURE, *self.at("http://[::ffff:127.0.0.1]:1"), "stats", says="in the clear")
        for address in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1",
                        "https://[::ffff:127.0.0.1]:1"):
            answer = self.refused(FAILURE, *self.at(address), "stats")
            self.assertNotIn("in the clear", answer.err)


if __name__ == "__main__":
    unittest.main()
