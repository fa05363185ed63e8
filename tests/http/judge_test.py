"""The judge itself: an answer that is as it must be passes, and each way to be wrong is seen. Needs
no host."""

import json
import unittest

from harness import FIXED_HEADERS, Answer, Judge, Vault, redacted
from schemas import Document
from world import CANARY, claims_of, new_secret, sign



def content(schema):
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


DOCUMENT = {
    "paths": {"/v0/things/{thing}": {
        "get": {"responses": {"200": content("Thing"), "201": content("Thing"),
                              "4XX": content("Error")}},
        "delete": {"responses": {"204": {"description": "gone"}}}}},
    "components": {"schemas": {
        "Thing": {"type": "object", "properties": {
            "name": {"type": "string"}, "owner": {"type": "string", "nullable": True},
            "key": {"type": "string"}}, "required": ["name", "owner"],
            "additionalProperties": False},
        "Error": {"type": "object", "required": ["message", "request_id"]}}}}
REQUEST_ID = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
HEADERS = {**FIXED_HEADERS, "content-type": "application/json", "x-request-id": REQUEST_ID,
           "access-control-allow-methods": "GET", "x-total-count": "1"}
GOOD = b'{"name":"x","owner":null}'
ERROR = {"request_id": REQUEST_ID, "message": "Not so"}


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.vault = Vault()

    def judge(self, status=200, body=GOOD, headers=(), method="GET", target="/v0/things/a",
              presented="", drop=()):
        judge = Judge(self.vault)
        judge.document = Document(DOCUMENT)
        pairs = {**HEADERS, **dict(headers)}
        answer = Answer("asked", status, [(n, v) for n, v in pairs.items() if n not in drop], body)
        return judge(answer, method, target, presented)

    def wrong(self, text, **options):
        with self.assertRaises(AssertionError) as caught:
            self.judge(**options)
        self.assertIn(text, str(caught.exception))

    @staticmethod
    def error(**members):
        return json.dumps({**ERROR, **members}, indent=2).encode()

    def test_what_is_right(self):
        self.judge()
        self.judge(status=404, body=self.error(), drop=("x-total-count",))
        self.judge(status=204, body=b"", method="DELETE",
                   headers={"access-control-allow-methods": "DELETE", "x-total-count": "0"})
        self.judge(status=200, body=b"", method="HEAD",
                   headers={"access-control-allow-methods": "HEAD"})
        self.judge(status=200, body=b"null", method="OPTIONS",
                   headers={"access-control-allow-methods": "GET, DELETE"})

    def test_headers(self):
        for name in HEADERS:
            self.wrong("", drop=(name,))
            self.wrong("", headers={name: "other"})
        for headers in ({"Set-Cookie": "a=b"}, {"access-control-allow-credentials": "true"},
                        {"www-authenticate": "Bearer"}, {"allow": "GET"},
                        {"Cache-Control": "public"}):
            self.wrong("", headers=headers)
        for status in (401, 405, 429, 503):
            self.wrong("", status=status, body=self.error())
        self.wrong("x-total-count", status=204, body=b"", method="DELETE",
                   headers={"access-control-allow-methods": "DELETE"})

    def test_an_id_is_of_one_answer(self):
        judge = Judge(self.vault)
        judge(Answer("", 200, HEADERS.items(), GOOD), "GET", "/v0/things/a")
        with self.assertRaises(AssertionError):
            judge(Answer("", 200, HEADERS.items(), GOOD), "GET", "/v0/things/a")

    def test_bodies(self):
        for body in (b'{"name": "x","owner":null}', b'{"name":"x","owner":null}\n', b'{"name":"x"}',
                     b'{"name":1,"owner":null}', b'{"name":"x","owner":null,"more":1}',
                     b'{"name":"x","name":"x","owner":null}', b"[]"):
            self.wrong("", body=body)
        for body in (json.dumps(ERROR).encode(), self.error(more=1), self.error(message=""),
                     self.error(request_id=REQUEST_ID[:-1] + "3"), self.error(error_code="x")):
            self.wrong("", status=404, body=body)
        self.wrong("does not know 202", status=202)
        self.wrong("no operation", target="/v0/other")
        self.wrong("a body", status=204, body=b"x")
        self.wrong("OPTIONS", method="OPTIONS", body=b"{}")

    def test_secrets(self):
        key, session = new_secret(), sign(claims_of("a@b.c"))
        for secret in (key, session):
            self.vault.add(secret)
        for text in (key, key[13:], new_secret("bencher_run_"), session.rpartition(".")[2]):
            self.wrong("secret", body=json.dumps({"name": f"-{text}-", "owner": None},
                                                 separators=(",", ":")).encode())
            self.wrong("secret", headers={"x-more": text})
        self.wrong("echoed", status=404, body=self.error(message=f"no {CANARY}"))
        self.wrong("echoed", status=404, body=self.error(message="no abc.def.ghijk"),
                   presented="abc.def.ghijk")
        for secret in (key, session):
            self.assertNotIn(secret[-30:], redacted(f"Bearer {secret}!"))

    def test_a_new_key_is_there_once(self):
        key = new_secret()
        made = f'{{"name":"x","owner":null,"key":"{key}"}}'
        self.judge(status=201, body=made.encode())
        self.wrong("more than once", status=201, body=made.replace('"x"', f'"{key}"').encode())
        self.wrong("secret", body=made.encode())


if __name__ == "__main__":
    unittest.main()
