"""The host's own operations: users, projects, grants, verify, identify, stats."""

import json
import unittest

from cases import (ADMIN_403, BAD_BODY, BAD_JWT, BAD_PATH, BAD_QUERY, INVALID_KEY,
                   INVALID_PROJECT_KEY, LOCKED_403, NO_CHANGES, NO_HEADER, PROJECT_404, SCOPED_403,
                   USER_403, USER_404, VERIFY_403, Case, TableTest, members, names)
from harness import TIME, UUID
from world import CANARY, FAR_S, NO_UUID, claims_of, new_secret, sha256, sign, uuid_of

GRANTS = "/v0/projects/the-computer/grants"
USER_MEMBERS = ["uuid", "name", "slug", "email", "admin", "locked", "created"]
PROJECT_MEMBERS = ["uuid", "name", "slug", "visibility", "created", "deleted"]
VERDICT_MEMBERS = ["active", "kind", "uuid", "owner", "sub", "iat", "exp", "scope"]

# Everything that only an admin may, with the parameters that it needs to be understood.
ADMIN_ONLY = (
    ("GET /v0/users", None), ("POST /v0/users", {"name": "x"}), ("PATCH /v0/users/courage", {}),
    ("DELETE /v0/users/courage", None), ("GET /v0/projects", None),
    ("POST /v0/projects", {"name": "x"}), ("GET /v0/projects/the-computer", None),
    ("PATCH /v0/projects/the-computer", {}), ("DELETE /v0/projects/the-computer", None),
    ("GET " + GRANTS, None), ("GET " + GRANTS + "/{muriel}", None),
    ("PUT " + GRANTS + "/{muriel}", {"role": "viewer"}), ("DELETE " + GRANTS + "/{muriel}", None),
    ("POST /v0/identify", {"sha256": ["0" * 64]}), ("GET /v0/stats", None))
FORBIDDEN = [
    *(Case(asked, who, 403, ADMIN_403, body) for asked, body in ADMIN_ONLY
      for who in ("muriel", "maintainer.key", "muriel.token")),
    *(Case(asked, None, 400, NO_HEADER, body) for asked, body in ADMIN_ONLY),
    *(Case(asked, "computer.key", 400, BAD_JWT, body) for asked, body in ADMIN_ONLY[::3]),
    *(Case(asked, "locked", 403, LOCKED_403, body) for asked, body in ADMIN_ONLY[::3]),
    *(Case(asked, new_secret(), 401, INVALID_KEY, body) for asked, body in ADMIN_ONLY[::3]),
    # Nothing tells those who are there from those who are not.
    *(Case(asked, "muriel", 403, ADMIN_403, body) for asked, body in (
        ("PATCH /v0/users/nobody", {"name": "x"}), ("DELETE /v0/users/nobody", None),
        ("GET /v0/projects/nowhere", None), ("GET /v0/projects/nowhere/grants", None),
        ("GET /v0/projects/the-vault", None))),
]

USERS = [
    Case("GET /v0/users", "eustace", 200, total=9, has=members(*USER_MEMBERS)),
    Case("GET /v0/users?per_page=3", "eustace.key", 200, total=9,
         has=names("Courage", "Del Developer", "Eustace Bagge")),
    Case("GET /v0/users?search=BAGGE&direction=desc", "eustace", 200, total=2,
         has=names("Muriel Bagge", "Eustace Bagge")),
    Case("GET /v0/users?slug=courage", "eustace", 200, total=1, has=names("Courage")),
    Case("GET /v0/users?name=Courage", "eustace", 200, total=1, has=names("Courage")),
    Case("GET /v0/users?deleted=true", "eustace", 200, total=0, has=[]),
    Case("GET /v0/users?deleted=false", "eustace", 200, total=9),
    *(Case(f"GET /v0/{sort}?{query}", "eustace", 400, BAD_QUERY) for sort in ("users", "projects")
      for query in ("deleted=1", "page=x", "per_page=256", "sort=uuid", "direction=x",
                    "search=a&search=b", "name=")),
    Case("GET /v0/users/muriel-bagge", "muriel", 200, has=members(*USER_MEMBERS)),
    Case("GET /v0/users/{muriel}", "muriel.key", 200,
         has={"email": "muriel@nowhere.com", "admin": False, "locked": False}),
    Case("GET /v0/users/no-mail", "mailless.key", 200, has={"email": None}),
    Case("GET /v0/users/muriel-bagge", "eustace", 200, has={"uuid": "{muriel}"}),
    Case("GET /v0/users/muriel-bagge", "courage", 403, USER_403),
    Case("GET /v0/users/nobody", "muriel", 404, USER_404),
    Case("GET /v0/users/Nobody", "muriel", 400, BAD_PATH),
    *(Case("POST /v0/users", "eustace", 400, BAD_BODY, body) for body in (
        {}, {"name": ""}, {"name": " x"}, {"name": None}, {"name": "a" * 65}, "", "[]",
        {"name": "x", "slug": "X"}, {"name": "x", "slug": ""}, {"name": "x", "slug": "a" * 65},
        {"name": "x", "email": "x"}, {"name": "x", "email": 1}, {"name": "x", "admin": "yes"},
        {"name": "x", "uuid": "x"}, {"name": "x", "uuid": CANARY}, '{"name":"x","name":"y"}',
        '{"name":"x","slug":"a","slug":"a"}')),
    Case("POST /v0/users", "eustace", 201, body={"name": "Katz"},
         has={"slug": "katz", "email": None, "admin": False, "locked": False}),
    Case("POST /v0/users", "eustace", 201,
         body={"name": "Katz", "slug": "other", "email": "katz@nowhere.com", "admin": True,
               "uuid": uuid_of(900)},
         has={"uuid": uuid_of(900), "slug": "other", "email": "katz@nowhere.com", "admin": True}),
    Case("POST /v0/users", "eustace", 409, body={"name": "x", "slug": "other"}),
    Case("POST /v0/users", "eustace", 409, body={"name": "x", "email": "katz@nowhere.com"}),
    Case("POST /v0/users", "eustace", 409, body={"name": "x", "uuid": uuid_of(900)}),
    Case("PATCH /v0/users/other", "eustace", 409, NO_CHANGES, {}),
    Case("PATCH /v0/users/other", "eustace", 409, NO_CHANGES, {"name": None, "slug": None}),
    Case("PATCH /v0/users/other", "eustace", 400, BAD_BODY, {"slug": "X"}),
    Case("PATCH /v0/users/other", "eustace", 400, BAD_BODY, {"locked": 1}),
    Case("PATCH /v0/users/other", "eustace", 409, body={"slug": "muriel-bagge"}),
    Case("PATCH /v0/users/other", "eustace", 409, body={"email": "muriel@nowhere.com"}),
    Case("PATCH /v0/users/other", "eustace", 200, body={"name": "Katz II", "slug": "katz-2",
                                                        "admin": False, "locked": True},
         has={"name": "Katz II", "slug": "katz-2", "admin": False, "locked": True,
              "email": "katz@nowhere.com"}),
    Case("GET /v0/users/other", "eustace", 404, USER_404),
    Case("PATCH /v0/users/katz-2", "eustace", 200, body={"email": None}, has={"email": None}),
    Case("PATCH /v0/users/nobody", "eustace", 404, USER_404, {"name": "x"}),
    Case("DELETE /v0/users/katz-2", "eustace", 204),
    Case("DELETE /v0/users/katz-2", "eustace", 404, USER_404),
    Case("DELETE /v0/users/" + uuid_of(900), "eustace", 404, USER_404),
    Case("GET /v0/users/katz-2", "eustace", 404, USER_404),
    Case("GET /v0/users/" + uuid_of(900), "eustace", 200,
         has=lambda test, value: test.assertRegex(value["deleted"], TIME)),
    Case("GET /v0/users/" + uuid_of(900), "muriel", 404, USER_404),
    Case("GET /v0/users?deleted=true", "eustace", 200, total=1,
         has=lambda test, rows: test.assertEqual(rows[0]["uuid"], uuid_of(900))),
    Case("GET /v0/users/" + uuid_of(900) + "/keys", "eustace", 404, USER_404),
    Case("POST /v0/users", "eustace", 201, body={"name": "Katz III", "slug": "katz-2"}),
    Case("POST /v0/users", "eustace", 409, body={"name": "x", "uuid": uuid_of(900)}),
]

PROJECTS = [
    Case("GET /v0/projects", "eustace", 200, total=2, has=members(*PROJECT_MEMBERS)),
    Case("GET /v0/projects?deleted=true", "eustace", 200, total=1,
         has=lambda test, rows: test.assertRegex(rows[0]["deleted"], TIME)),
    Case("GET /v0/projects?search=vault", "eustace", 200, total=1, has=names("The Vault")),
    Case("GET /v0/projects/the-vault", "eustace", 200,
         has={"visibility": "private", "deleted": None, "uuid": "{vault}"}),
    Case("GET /v0/projects/nowhere", "eustace", 404, PROJECT_404),
    Case("GET /v0/projects/No-Where", "eustace", 400, BAD_PATH),
    *(Case("POST /v0/projects", "eustace", 400, BAD_BODY, body) for body in (
        {}, {"name": " x"}, {"name": "x", "visibility": "hidden"}, {"name": "x", "visibility": 1},
        {"name": "x", "slug": "A"}, {"name": "x", "uuid": "1"}, "{",
        {"name": "x", "visibility": CANARY})),
    Case("POST /v0/projects", "eustace", 201, body={"name": "Mill", "uuid": uuid_of(901)},
         has={"slug": "mill", "visibility": "public", "deleted": None, "uuid": uuid_of(901)}),
    Case("POST /v0/projects", "eustace", 409, body={"name": "x", "slug": "mill"}),
    Case("POST /v0/projects", "eustace", 409, body={"name": "x", "uuid": uuid_of(901)}),
    Case("POST /v0/projects", "eustace", 201,
         body={"name": "Mill", "slug": "well", "visibility": "private"},
         has={"slug": "well", "visibility": "private"}),
    Case("PATCH /v0/projects/mill", "eustace", 409, NO_CHANGES, {}),
    Case("PATCH /v0/projects/mill", "eustace", 409, body={"slug": "well"}),
    Case("PATCH /v0/projects/mill", "eustace", 400, BAD_BODY, {"visibility": "x"}),
    Case("PATCH /v0/projects/mill", "eustace", 200,
         body={"name": "Wind Mill", "slug": "wind-mill", "visibility": "private"},
         has={"name": "Wind Mill", "slug": "wind-mill", "visibility": "private"}),
    Case("DELETE /v0/projects/wind-mill", "eustace", 204),
    Case("DELETE /v0/projects/wind-mill", "eustace", 404, PROJECT_404),
    Case("GET /v0/projects/wind-mill", "eustace", 404, PROJECT_404),
]

ROW = {"project": "{computer}", "user": "{courage}"}
GRANT_CASES = [
    Case("GET " + GRANTS, "eustace", 200, total=4, has=members("project", "user", "role")),
    Case("GET /v0/projects/nowhere/grants", "eustace", 404, PROJECT_404),
    *(Case(f"GET {GRANTS}?{query}", "eustace", 400, BAD_QUERY) for query in
      ("per_page=256", "per_page=x", "after=x", "after=", "per_page=1&per_page=1",
       f"after={CANARY}")),
    Case(f"GET {GRANTS}?per_page=0", "eustace", 200, has=[], total=4),
    Case(f"GET {GRANTS}/{{courage}}", "eustace", 404),
    Case(f"DELETE {GRANTS}/{{courage}}", "eustace", 404),
    *(Case(f"PUT {GRANTS}/{{courage}}", "eustace", 400, BAD_BODY, body) for body in
      ({}, {"role": "owner"}, {"role": None}, {"role": "none"}, {"role": 1}, {"role": "Viewer"},
       '{"role":"viewer","role":"viewer"}', {"role": CANARY}, "")),
    Case(f"PUT {GRANTS}/courage", "eustace", 200, body={"role": "viewer"},
         has={**ROW, "role": "viewer"}),
    Case(f"PUT {GRANTS}/{{courage}}", "eustace", 200, body={"role": "maintainer"},
         has={**ROW, "role": "maintainer"}),
    Case("GET /v0/projects/the-computer/keys", "courage", 200),
    Case(f"GET {GRANTS}/courage", "eustace", 200, has={**ROW, "role": "maintainer"}),
    Case("GET " + GRANTS, "eustace", 200, total=5),
    Case(f"DELETE {GRANTS}/courage", "eustace", 204),
    Case(f"DELETE {GRANTS}/courage", "eustace", 404),
    Case("GET /v0/projects/the-computer/keys", "courage", 403),
    Case(f"PUT {GRANTS}/nobody", "eustace", 404, body={"role": "viewer"}),
    Case("PUT /v0/projects/nowhere/grants/{courage}", "eustace", 404, body={"role": "viewer"}),
    Case(f"PUT {GRANTS}/Nobody", "eustace", 400, BAD_PATH, {"role": "viewer"}),
]

VERIFY = [
    *(Case("POST /v0/verify", who, 403, VERIFY_403, {"token": "x"}) for who in
      ("muriel", "muriel.key", "muriel.token", "muriel.nine", "eustace.nine", "computer.key",
       "computer.nine")),
    *(Case("POST /v0/verify", who, 401, INVALID_PROJECT_KEY, {"token": "x"}) for who in
      (new_secret("bencher_run_"), "computer.revoked", "computer.expired", "bencher_run_short")),
    Case("POST /v0/verify", new_secret(), 401, INVALID_KEY, {"token": "x"}),
    Case("POST /v0/verify", "locked", 403, LOCKED_403, {"token": "x"}),
    *(Case("POST /v0/verify", who, 200, body={"token": "x"}, has={"active": False}) for who in
      ("eustace", "eustace.key", "muriel.verify", "computer.verify")),
    *(Case("POST /v0/verify?reason=true", who, 403, body={"token": "x"}) for who in
      ("muriel.verify", "computer.verify")),
    Case("POST /v0/verify?reason=false", "muriel.verify", 200, body={"token": "x"}),
    Case("POST /v0/verify?reason=1", "eustace", 400, BAD_QUERY, {"token": "x"}),
    Case("POST /v0/verify?reason=true&reason=true", "eustace", 400, BAD_QUERY, {"token": "x"}),
    *(Case("POST /v0/verify", "eustace", 400, BAD_BODY, body) for body in (
        "", "{", {}, [], {"token": None}, {"token": 1}, {"tokens": "x"}, {"tokens": []},
        {"tokens": [1]}, {"tokens": [None]}, {"token": "x", "tokens": ["x"]},
        {"tokens": ["x"] * 1001}, {"token": "x", "scopes": ["no"]}, {"token": "x", "scopes": [64]},
        {"token": "x", "scopes": "verify"}, '{"token":"x","token":"x"}', {"token": [CANARY]})),
    *(Case("GET " + path, "muriel.verify", 403, SCOPED_403) for path in
      ("/v0/users/muriel-bagge/keys", "/v0/users", "/v0/stats")),
    Case("GET /v0/projects/the-computer/keys", "computer.verify", 400, BAD_JWT),
    *(Case("POST /v0/identify", "eustace", 400, BAD_BODY, body) for body in (
        "", {}, {"sha256": []}, {"sha256": "0" * 64}, {"sha256": ["0" * 63]},
        {"sha256": ["0" * 65]}, {"sha256": ["g" * 64]}, {"sha256": [1]},
        {"sha256": ["0" * 64] * 1001}, {"sha256": [CANARY]})),
    Case("POST /v0/identify", "eustace", 200, body={"sha256": ["0" * 64]}, has={"results": [None]}),
]


class Admin(TableTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        muriel, computer = "/v0/users/muriel-bagge/keys", "/v0/projects/the-computer/keys"
        for name, path, scopes in (
                ("muriel.nine", muriel, [9]), ("muriel.verify", muriel, ["verify"]),
                ("eustace.nine", "/v0/users/eustace-bagge/keys", [9]),
                ("computer.nine", computer, [9]), ("computer.verify", computer, ["verify", 9])):
            made = cls.host.call("POST", path, cls.world.secrets["eustace"],
                                 {"name": name, "scopes": scopes}).json()
            cls.world.secrets[name] = made["key"]
            cls.world.ids[name] = made["uuid"]

    def test_1_forbidden(self):
        self.run_table(FORBIDDEN)

    def test_1_verify(self):
        self.run_table(VERIFY)

    def test_2_users(self):
        self.run_table(USERS)

    def test_2_projects(self):
        self.run_table(PROJECTS)

    def test_2_grants(self):
        self.run_table(GRANT_CASES)

    def test_a_scoped_admin_is_none(self):
        for asked, body in ADMIN_ONLY:
            self.run_case(Case(asked, "eustace.nine", 403, SCOPED_403, body))

    def test_deleting_silences_credentials_at_once(self):
        user = self.call("POST", "/v0/users", "eustace", {"name": "Short Lived",
                                                          "email": "short@nowhere.com"}).json()
        project = self.call("POST", "/v0/projects", "eustace", {"name": "Short Lived"}).json()
        key = self.create(f"/v0/users/{user['uuid']}/keys")
        run = self.create(f"/v0/projects/{project['uuid']}/keys")
        session = sign(claims_of("short@nowhere.com"))
        self.call("GET", "/v0/users/short-lived", session, status=200)
        self.call("GET", "/v0/users/short-lived", key["key"], status=200)
        self.call("DELETE", "/v0/users/short-lived", "eustace", status=204)
        self.call("DELETE", "/v0/projects/short-lived", "eustace", status=204)
        for made, reason in ((key, "deleted"), (run, "deleted")):
            self.assertEqual(self.verify(made["key"]), {"active": False})
            self.assertEqual(self.verify(made["key"], query="?reason=true")["reason"], reason)
        self.call("GET", "/v0/users/short-lived", session, status=404)
        self.call("GET", "/v0/users/short-lived", key["key"], status=401)
        self.call("GET", f"/v0/projects/{project['uuid']}/keys", "eustace", status=404)

    def test_locking_and_unlocking(self):
        self.call("POST", "/v0/users", "eustace", {"name": "Lock Me", "email": "lock@nowhere.com"},
                  status=201)
        key = self.create("/v0/users/lock-me/keys")
        session = sign(claims_of("lock@nowhere.com"))
        for locked, status in ((True, 401), (False, 200), (True, 401)):
            self.call("PATCH", "/v0/users/lock-me", "eustace", {"locked": locked}, status=200)
            self.call("GET", "/v0/users/lock-me", key["key"], status=status)
            self.call("GET", "/v0/users/lock-me", session, status=403 if locked else 200)
            self.assertEqual(self.verify(key["key"])["active"], not locked)

    def test_another_email_ends_old_sessions(self):
        self.call("POST", "/v0/users", "eustace", {"name": "Mover", "email": "old@nowhere.com"},
                  status=201)
        session = sign(claims_of("old@nowhere.com"))
        self.call("GET", "/v0/users/mover", session, status=200)
        self.call("PATCH", "/v0/users/mover", "eustace", {"email": "new@nowhere.com"}, status=200)
        self.call("GET", "/v0/users/mover", session, status=404)
        # The address is free, and whoever takes it does not get the old session's rights.
        self.call("POST", "/v0/users", "eustace", {"name": "Heir", "email": "old@nowhere.com"},
                  status=201)
        stale = sign(claims_of("old@nowhere.com", issued_s=1700000000))
        self.assertIn(self.call("GET", "/v0/users/heir", stale).status, (400, 404))

    def test_grants_page_by_page(self):
        def page(query):
            answer = self.call("GET", "/v0/projects/the-vault/grants" + query, "eustace",
                               status=200)
            self.assertEqual(answer.total, 3)
            return [row["user"] for row in answer.json()], answer.headers.get("link", "")
        whole, link = page("")
        self.assertEqual(whole, sorted(whole))
        self.assertNotIn("next", link)
        seen, query = [], "?per_page=1"
        for _ in range(4):
            users, link = page(query)
            seen += users
            if 'rel="next"' not in link:
                break
            query = link.partition("<")[2].partition(">")[0]
            self.assertIn("after=" + users[-1], query)
        self.assertEqual(seen, whole)

    def test_what_a_verdict_says(self):
        due = {
            "muriel.key": ("user_key", "muriel", "muriel@nowhere.com", ""),
            "mailless.key": ("user_key", "mailless", self.uuid("mailless"), ""),
            "computer.key": ("project_key", "computer", self.uuid("computer"), ""),
            "computer.verify": ("project_key", "computer", self.uuid("computer"), "verify 9"),
            "muriel.token": ("user_token", "muriel", "muriel@nowhere.com", ""),
        }
        for name, (kind, owner, sub, scope) in due.items():
            verdict = self.verify(self.secret(name))
            self.assertEqual(list(verdict), VERDICT_MEMBERS)
            row = {"active": True, "kind": kind, "uuid": self.uuid(name), "owner": self.uuid(owner),
                   "sub": sub, "scope": scope}
            self.assertEqual({member: verdict[member] for member in row}, row)
            self.assertIsInstance(verdict["iat"], int)
            self.assertGreater(verdict["exp"], verdict["iat"])
            for asker in ("muriel.verify", "computer.verify", "eustace.key"):
                self.assertEqual(self.verify(self.secret(name), asker), verdict)
            # By an admin, with the reason behind it.
            told = self.verify(self.secret(name), query="?reason=true")
            self.assertEqual(told, {**verdict, "reason": "allowed"})
        self.assertEqual(self.verify(self.secret("muriel.key"))["exp"], FAR_S)

    def test_every_reason(self):
        for name, reason, kind, owner in (
                ("muriel.revoked", "revoked", "user_key", "muriel"),
                ("muriel.expired", "expired", "user_key", "muriel"),
                ("computer.revoked", "revoked", "project_key", "computer"),
                ("computer.expired", "expired", "project_key", "computer"),
                ("muriel.token_revoked", "revoked", "user_token", "muriel"),
                ("muriel.token_expired", "expired", "user_token", "muriel"),
                ("locked.key", "locked", "user_key", "locked"),
                ("locked.token", "locked", "user_token", "locked")):
            self.assertEqual(self.verify(self.secret(name)), {"active": False})
            self.assertEqual(
                self.verify(self.secret(name), query="?reason=true"),
                {"active": False, "reason": reason, "kind": kind, "uuid": self.uuid(name),
                 "owner": self.uuid(owner)})
        for secret, reason in (
                (new_secret(), "unknown"), (new_secret("bencher_run_"), "unknown"),
                ("", "malformed"), ("x", "malformed"), (CANARY, "malformed"),
                ("\u00e9" * 30, "malformed"), ("a\u0000b", "malformed"),
                (" " + self.secret("muriel.key"), "malformed"),
                (self.secret("muriel.key")[:-1], "malformed"), ("x" * 9000, "malformed"),
                (sign(claims_of("muriel@nowhere.com", "api_key")), "unknown"),
                (self.secret("muriel"), "unknown")):
            self.assertEqual(self.verify(secret), {"active": False})
            self.assertEqual(self.verify(secret, query="?reason=true"),
                             {"active": False, "reason": reason})

    def test_required_scopes(self):
        secret = self.secret("computer.verify")
        for scopes, active in ((None, True), ([], True), (["verify"], True), ([9], True),
                               (["verify", 9], True), ([0], True), ([1], False), ([9, 10], False)):
            body = {"token": secret, "scopes": scopes}
            answer = self.call("POST", "/v0/verify", "eustace", body, status=200).json()
            self.assertEqual(answer["active"], active, scopes)
        answer = self.call("POST", "/v0/verify?reason=true", "eustace",
                           {"token": secret, "scopes": [1]}, status=200).json()
        self.assertEqual(answer["reason"], "scope")

    def test_many_at_once(self):
        mix = ["muriel.key", "muriel.revoked", "computer.key", "locked.key", "computer.verify"]
        tokens = [self.secret(name) for name in mix] + ["", "x", new_secret()]
        results = self.call("POST", "/v0/verify", "muriel.verify", {"tokens": tokens},
                            status=200).json()
        self.assertEqual(list(results), ["results"])
        self.assertEqual(results["results"], [self.verify(token) for token in tokens])
        self.assertEqual([result["active"] for result in results["results"]],
                         [True, False, True, False, True, False, False, False])
        for count in (1, 999, 1000):
            tokens = [self.secret(mix[n % 5]) for n in range(count)]
            results = self.call("POST", "/v0/verify", "eustace", {"tokens": tokens},
                                status=200).json()["results"]
            self.assertEqual([result["active"] for result in results],
                             [n % 5 in (0, 2, 4) for n in range(count)])
        told = self.call("POST", "/v0/verify?reason=true", "eustace",
                         {"tokens": [self.secret("muriel.revoked"), "x"]}, status=200).json()
        self.assertEqual([result["reason"] for result in told["results"]],
                         ["revoked", "malformed"])

    def test_the_form_of_rfc_7662(self):
        def form(body, status=200, kind="application/x-www-form-urlencoded"):
            return self.call("POST", "/v0/verify", "muriel.verify", body,
                             headers={"Content-Type": kind}, status=status)
        secret = self.secret("muriel.key")
        due = self.verify(secret)
        for body in (f"token={secret}", f"token={secret}&token_type_hint=access_token",
                     f"a=b&token={secret}&", f"%74oken={secret.replace('_', '%5F')}"):
            self.assertEqual(form(body).json(), due)
        self.assertEqual(form(f"token={secret}",
                              kind="application/x-www-form-urlencoded; charset=utf-8").json(), due)
        for body in (f"token=+{secret}", "token=", "token=%00", f"token={CANARY}"):
            self.assertEqual(form(body).json(), {"active": False})
        for body in ("", "a=b", f"token={secret}&token={secret}", f"tokens={secret}"):
            form(body, 400)
        form(f"token={secret}", 400, "text/plain")
        # Never in a query, where logs would keep it.
        self.call("GET", f"/v0/verify?token={secret}", "eustace", status=405)
        self.call("POST", f"/v0/verify?token={secret}", "eustace", {}, status=400)

    def test_whose_keys_are_these(self):
        mix = ["muriel.key", "muriel.revoked", "computer.key", "muriel.token", "muriel.expired"]
        digests = [sha256(self.secret(name)) for name in mix]
        body = {"sha256": [*digests, sha256("x"), digests[0].upper()]}
        results = self.call("POST", "/v0/identify", "eustace", body, status=200).json()["results"]
        self.assertEqual(len(results), 7)
        for name, result in zip(mix, results):
            self.assertEqual(list(result)[0], "kind")
            self.assertEqual(result["uuid"], self.uuid(name))
        self.assertEqual([result["kind"] for result in results[:5]],
                         ["user_key", "user_key", "project_key", "user_token", "user_key"])
        self.assertIn("revoked", results[1])
        self.assertIsNone(results[5])
        self.assertEqual(results[6], results[0])
        viewed = self.call("GET", "/v0/users/muriel-bagge/keys/" + self.uuid("muriel.expired"),
                           "muriel").json()
        self.assertEqual({k: v for k, v in results[4].items() if k != "kind"}, viewed)
        self.call("POST", "/v0/identify", "eustace", {"sha256": digests * 200}, status=200)

    def test_stats(self):
        before = self.call("GET", "/v0/stats", "eustace", status=200).json()
        self.assertRegex(before["store_id"], UUID)
        made = self.create("/v0/users/courage/keys")
        after = self.call("GET", "/v0/stats", "eustace.key", status=200).json()
        self.assertEqual(after["active"], before["active"] + 1)
        self.assertGreater(after["event_number"], before["event_number"])
        self.call("DELETE", "/v0/users/courage/keys/" + made["uuid"], "courage", status=204)
        last = self.call("GET", "/v0/stats", "eustace", status=200).json()
        self.assertEqual((last["active"], last["revoked"]),
                         (before["active"], before["revoked"] + 1))
        self.assertNotIn("email", json.dumps(last))


class CommandLine(TableTest):
    """The host and the command line say the same of the same store."""

    def test_stats_have_the_members_of_the_command_line(self):
        served = self.call("GET", "/v0/stats", "eustace", status=200).json()
        users = self.call("GET", "/v0/users?per_page=255", "eustace", status=200).json()
        keys = self.call("GET", "/v0/users/muriel-bagge/keys?per_page=255", "eustace").json()
        self.stop(self.host)
        self.assertEqual(list(json.loads(self.cli("stats", "-o", "json"))), list(served))
        self.assertEqual(json.loads(self.cli("user", "list", "--per-page", "255", "-o", "json")),
                         users)
        listed = json.loads(self.cli("user", "key", "list", "muriel-bagge", "--per-page", "255",
                                     "-o", "json"))
        for row in [*listed, *keys]:
            row.pop("last_used", None)
        self.assertEqual(listed, keys)
        self.assertNotIn(NO_UUID, json.dumps(listed))


if __name__ == "__main__":
    unittest.main()
