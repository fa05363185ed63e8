"""The operations of both pages: what is answered to whom. One table a subject, asked in order."""

import unittest

from cases import (BAD_BODY, BAD_JWT, BAD_KEY, BAD_PATH, BAD_QUERY, EXPIRED_JWT, FALSE_JWT,
                   INVALID_HEADER, INVALID_KEY, KEY_CREATES_403, LOCKED_403, NO_BEARER, NO_CHANGES,
                   NO_HEADER, PROJECT_403, PROJECT_404, PROJECT_KEY_404, REVOKED_TOKEN, SCOPED_403,
                   SCOPES_403, TOKEN_404, TOKENS_403, TTL_400, USER_403, USER_404, USER_KEY_404,
                   ADMIN_403, Case, TableTest, lacks, members, names, self_403)
from harness import TIME, UUID
from world import CANARY, NO_UUID, claims_of, new_secret, sign

KEYS = "/v0/users/muriel-bagge/keys"
TOKENS = "/v0/users/muriel-bagge/tokens"
RUNS = "/v0/projects/the-computer/keys"
HIDDEN = "/v0/projects/the-vault/keys"
JUNK = CANARY * 3
TTL_MAX = 4294967295

# Every Authorization header that is wrong by its looks, and how it is told.
HEADERS = [
    Case("GET " + KEYS, None, 400, NO_HEADER),
    *(Case("GET " + KEYS, None, 400, NO_BEARER, authorization=value) for value in
      ("Bearer", f"Basic {JUNK}", JUNK, "Bearer\tx", "", f"Token {JUNK}", "Bearerx y", "Beare r")),
    Case("GET " + KEYS, None, 400, INVALID_HEADER, authorization=f"Bearer {JUNK}\xe9"),
    Case("GET " + KEYS, None, 400, INVALID_HEADER, authorization=f"\xff {JUNK}"),
    *(Case("GET " + KEYS, None, 400, BAD_KEY, authorization="Bearer " + value) for value in
      ("bencher_user_", "bencher_user_short", "bencher_user_" + "a" * 29,
       "bencher_user_" + "a" * 31, "bencher_user_" + "a" * 29 + "-",
       "bencher_user_" + "a.b.c", "bencher_user_" + "a" * 5000)),
    *(Case("GET " + KEYS, None, 400, BAD_JWT, authorization="Bearer " + value) for value in
      (JUNK, "a", ".", "..", "YQ.YQ", "YQ..YQ", ".YQ.YQ", "YQ.YQ.", "YQ.YQ.YQ.YQ", "YQ==.YQ.YQ",
       "Y+.YQ.YQ", "Bencher_user_" + "a" * 30, "bencher_runner_" + "a" * 30, "x y")),
    Case("GET " + KEYS, "computer.key", 400, BAD_JWT),
    Case("GET " + RUNS, "computer.key", 400, BAD_JWT),
    Case("GET " + TOKENS, "computer.key", 400, BAD_JWT),
    Case("GET /v0/users", "computer.key", 400, BAD_JWT),
    Case("GET " + RUNS, None, 400, NO_HEADER),
    Case("GET " + TOKENS, None, 400, NO_HEADER),
    Case("GET /v0/users", None, 400, NO_HEADER),
    Case("POST /v0/verify", None, 400, NO_HEADER, {"token": "x"}),
]

# Headers that look right, and the credential is not.
LOOK_UP = [
    Case("GET " + KEYS, new_secret(), 401, INVALID_KEY),
    Case("GET " + KEYS, "muriel.revoked", 401, INVALID_KEY),
    Case("GET " + KEYS, "muriel.expired", 401, INVALID_KEY),
    Case("GET " + KEYS, "locked.key", 401, INVALID_KEY),
    Case("GET " + KEYS, "leaver.key", 401, INVALID_KEY),
    Case("GET " + KEYS, "YQ.YQ.YQ", 400),
    Case("GET " + KEYS, sign(claims_of("muriel@nowhere.com"), secret=b"another secret"), 400,
         FALSE_JWT),
    Case("GET " + KEYS, sign(claims_of("muriel@nowhere.com"), header=b'{"typ":"JWT","alg":"none"}'),
         400),
    Case("GET " + KEYS, sign({**claims_of("muriel@nowhere.com"), "iss": "http://elsewhere/"}), 400,
         FALSE_JWT),
    *(Case("GET " + KEYS, sign(claims_of("muriel@nowhere.com", audience)), 400, FALSE_JWT)
      for audience in ("auth", "invite", "api_key", "oci_public")),
    Case("GET " + KEYS, sign({k: v for k, v in claims_of("muriel@nowhere.com").items()
                              if k != "sub"}), 400, FALSE_JWT),
    Case("GET " + KEYS, sign({k: v for k, v in claims_of("muriel@nowhere.com").items()
                              if k != "exp"}), 400, FALSE_JWT),
    Case("GET " + KEYS, sign(b"{"), 400),
    Case("GET " + KEYS, sign(claims_of("muriel@nowhere.com", expires_s=1700000000,
                                       issued_s=1699990000)), 400, EXPIRED_JWT),
    Case("GET " + KEYS, "muriel.token_expired", 400, EXPIRED_JWT),
    Case("GET " + KEYS, sign(claims_of(CANARY + "@nowhere.com")), 404, USER_404),
    Case("GET " + KEYS, "leaver", 404, USER_404),
    Case("GET " + KEYS, "locked", 403, LOCKED_403),
    Case("GET " + KEYS, "locked.token", 403, LOCKED_403),
    Case("GET " + KEYS, "muriel.token_revoked", 401, REVOKED_TOKEN),
    Case("GET " + TOKENS, "muriel.token_revoked", 401, REVOKED_TOKEN),
    Case("GET " + KEYS, "muriel", 200),
    Case("GET " + KEYS, "muriel.token", 200),
    Case("GET " + KEYS, "muriel.key", 200),
    *(Case(asked, who, 403, SCOPED_403, body) for who in ("muriel.nine", "muriel.verify")
      for asked, body in (("GET " + KEYS, None), ("POST " + KEYS, {"name": "x"}),
                          ("GET " + TOKENS, None), ("GET " + RUNS, None))),
    *(Case(asked, "eustace.nine", 403, SCOPED_403, body) for asked, body in (
        ("GET /v0/users", None), ("GET /v0/stats", None), ("POST /v0/projects", {"name": "x"}),
        ("GET /v0/users/eustace-bagge", None), ("POST /v0/identify", {"sha256": ["0" * 64]}))),
]

# Two faults at once: the earlier check answers.
ORDER = [
    Case("GET /v0/users/Bad/keys?page=x", None, 400, NO_HEADER),
    Case("PATCH /v0/users/Bad/keys/bad", None, 400, NO_HEADER, "{"),
    Case("GET /v0/users/Bad/keys?page=x", JUNK, 400, BAD_JWT),
    Case("GET /v0/users/Bad/tokens", None, 400, BAD_PATH),
    Case("GET /v0/users/Bad/tokens?page=x", None, 400, BAD_PATH),
    Case(f"GET {TOKENS}?page=x", None, 400, BAD_QUERY),
    Case(f"GET {TOKENS}?page=x", JUNK, 400, BAD_QUERY),
    Case("GET /v0/users/Bad/keys?page=x", "muriel", 400, BAD_PATH),
    Case("POST /v0/users/Bad/keys", "muriel", 400, BAD_PATH, "{"),
    Case(f"PATCH {KEYS}/bad", "muriel", 400, BAD_PATH, "{"),
    Case(f"DELETE {KEYS}/{NO_UUID}?created=x", new_secret(), 400, BAD_QUERY),
    Case(f"GET {KEYS}?page=x", new_secret(), 400, BAD_QUERY),
    Case(f"GET {KEYS}/bad", new_secret(), 400, BAD_PATH),
    Case("POST " + KEYS, new_secret(), 400, BAD_BODY, {"name": " x"}),
    Case("POST " + KEYS, new_secret(), 400, BAD_BODY, {"name": "x", "ttl": -1}),
    Case("POST " + TOKENS, new_secret(), 400, BAD_BODY, {}),
    Case("POST /v0/users/nobody/keys", "muriel", 400, BAD_BODY, {"name": ""}),
    Case("GET /v0/users/nobody/keys", new_secret(), 401, INVALID_KEY),
    Case("GET /v0/users/nobody/keys", "locked", 403, LOCKED_403),
    Case("GET /v0/users/nobody/keys", "muriel.nine", 403, SCOPED_403),
    Case("GET /v0/projects/nowhere/keys", "muriel.nine", 403, SCOPED_403),
    Case("POST " + KEYS, "muriel.nine", 403, SCOPED_403, {"name": "x"}),
    Case("POST /v0/users/nobody/keys", "muriel.key", 403, KEY_CREATES_403, {"name": "x"}),
    Case("POST " + KEYS, "muriel.key", 403, KEY_CREATES_403, {"name": "x", "ttl": 0}),
    Case("POST /v0/users/courage/keys", "muriel.key", 403, KEY_CREATES_403, {"name": "x"}),
    Case("POST /v0/users/nobody/tokens", "muriel", 403, TOKENS_403, {"name": "x"}),
    Case("POST " + TOKENS, "muriel.key", 403, TOKENS_403, {"name": "x", "ttl": 0}),
    Case("POST " + TOKENS, new_secret(), 401, INVALID_KEY, {"name": "x"}),
    Case("POST /v0/users/nobody/keys", "muriel", 404, USER_404, {"name": "x", "ttl": 0}),
    Case("POST /v0/users/courage/keys", "muriel", 403, USER_403, {"name": "x", "ttl": 0}),
    Case("POST /v0/projects/nowhere/keys", "muriel", 404, PROJECT_404, {"name": "x", "ttl": 0}),
    Case("POST " + RUNS, "viewer", 403, PROJECT_403, {"name": "x", "ttl": 0}),
    Case("POST " + HIDDEN, "viewer", 404, PROJECT_404, {"name": "x", "ttl": 0}),
    Case(f"GET {KEYS}/{NO_UUID}", "courage", 403, USER_403),
    Case(f"GET {RUNS}/{NO_UUID}", "courage", 403, PROJECT_403),
    Case(f"GET {KEYS}/{NO_UUID}", "muriel.key", 404, USER_KEY_404),
    Case(f"PATCH {KEYS}/{NO_UUID}", "muriel", 404, USER_KEY_404, {}),
    Case(f"PATCH {RUNS}/{NO_UUID}", "muriel", 404, PROJECT_KEY_404, {}),
    Case(f"PATCH {TOKENS}/{NO_UUID}", "muriel", 404, TOKEN_404, {}),
    Case(f"DELETE {KEYS}/{{muriel.revoked}}", "muriel.key", 403, self_403("revoke")),
    Case(f"PATCH {KEYS}/{{muriel.spare}}", "muriel.key", 403, self_403("update"), {}),
    Case("POST /v0/users", "muriel", 400, BAD_BODY, {}),
    Case("PATCH /v0/users/nobody", "muriel", 403, ADMIN_403, {"name": "x"}),
    Case("DELETE /v0/projects/nowhere", "muriel", 403, ADMIN_403),
    Case("GET /v0/nothing/Bad?page=x", None, 404, "Not Found"),
    Case(f"POST {KEYS}/bad?created=x", None, 405, "Method Not Allowed"),
    Case("PUT " + KEYS, None, 405, "Method Not Allowed", "{"),
]

# How {user}, {project}, {key} and {token} may be spelt.
PATHS = [
    *(Case(f"GET /v0/users/{user}/keys/{{muriel.key}}", "muriel", 200) for user in
      ("muriel-bagge", "{muriel}", "%6Duriel-bagge", "urn:uuid:{muriel}", "%7B{muriel}%7D")),
    *(Case(f"GET /v0/users/{user}/keys", "muriel", 400, BAD_PATH) for user in
      ("Muriel-Bagge", "muriel--bagge", "-a", "a-", "a_b", "a" * 65, CANARY.upper(), "%20",
       "%7B{muriel}", "urn:uuid:x", "a%2Fb", "%C3%A9")),
    *(Case(f"GET /v0/users/{user}/keys", "muriel", 404, USER_404) for user in
      ("nobody", NO_UUID, "{muriel}0", "a" * 64, "le-aver", "{leaver}", "{computer}",
       "the-computer")),
    *(Case(f"GET /v0/projects/{project}/keys", "eustace", 404, PROJECT_404) for project in
      ("nowhere", NO_UUID, "the-gone", "{gone}", "{muriel}", "muriel-bagge", "deleted-{gone}")),
    *(Case(f"GET /v0/projects/{project}/keys", "eustace", 400, BAD_PATH) for project in
      ("The-Computer", "a--b", "%ff", "%00", "a%00b", "%zz", "%", "%4")),
    *(Case(f"GET {KEYS}/{key}", "muriel", 400, BAD_PATH) for key in
      ("spare", "0", "{muriel.key}0", "%7B{muriel.key}", "g" * 32, "-" * 36, "%00")),
    *(Case(f"GET {TOKENS}/{token}", "muriel", 400, BAD_PATH) for token in ("x", "muriel-token")),
    *(Case(f"GET {RUNS}/{key}", "muriel", 400, BAD_PATH) for key in ("x", "computer-key")),
    Case("GET //v0///users/muriel-bagge//keys/", "muriel", 200),
    Case("GET /v0/users/muriel-bagge/../muriel-bagge/keys", "muriel", 400),
    Case("GET /v0/./users", "eustace", 400),
    Case("GET /v0/users/muriel-bagge%2Fkeys", "muriel", 400, BAD_PATH),
    Case("GET /v0/%75sers/muriel-bagge/keys", "muriel", 200),
    *(Case("GET " + path, "eustace", 404, "Not Found") for path in
      ("/", "/v0", "/v1/users", "/V0/users", "/v0/users/x/y", "/v0/users/x/keys/y/z", "/metrics",
       "/v0/keys", "/favicon.ico", "/v0/server", "/v0/server/versions", f"/{CANARY}")),
]

# The parameters of a list, on each of the lists.
LISTS = [
    *(Case(f"GET {path}?{query}", "muriel", 400, BAD_QUERY)
      for path, queries in (
          (KEYS, ("page=-1", "page=x", "page=", "page=4294967296", "page=1.0", "page=+1",
                  "per_page=256", "per_page=-1", "per_page=x", "per_page=", "sort=uuid", "sort=",
                  "sort=Name", "direction=up", "direction=ASC", "direction=", "revoked=True",
                  "revoked=1", "revoked=yes", "revoked=", "revoked", "name=", "name=+x", "name=x+",
                  "name=" + "a" * 65, "name=%ff", "name=%zz", "search=%ff", "search=%",
                  "search=" + "a" * 1025, f"page={CANARY}", f"sort={CANARY}", "page=1&page=1",
                  "page=1&per_page=8&page=2", "search=a&search=b", "revoked=true&revoked=true",
                  "slug=A", "slug=" + "a" * 65, "%70age=x")),
          (TOKENS, ("page=x", "per_page=256", "sort=uuid", "revoked=1", "search=a&search=a")),
          (RUNS, ("page=x", "per_page=256", "direction=x", "name=", "name=a&name=b")))
      for query in queries),
    *(Case(f"GET {KEYS}?{query}", "muriel", 200) for query in
      ("", "page=0", "page=1", "page=4294967295", "per_page=255", "page=4294967295&per_page=255",
       "sort=name", "direction=asc", "unknown=1", "unknown=1&unknown=2", "&&", "=", "a",
       "search=" + "a" * 1024, "name=a+b", "name=%F0%9F%94%91", "%70age=1", "slug=spare",
       f"unknown={CANARY}")),
    Case(f"GET {KEYS}", "muriel", 200, has=names("muriel.expired", "muriel.key", "muriel.nine",
                                                 "muriel.verify", "spare"), total=5),
    Case(f"GET {KEYS}?direction=desc&per_page=2", "muriel", 200,
         has=names("spare", "muriel.verify"), total=5),
    Case(f"GET {KEYS}?per_page=2&page=2", "muriel", 200, has=names("muriel.nine", "muriel.verify"),
         total=5),
    Case(f"GET {KEYS}?per_page=0", "muriel", 200, has=[], total=5),
    Case(f"GET {KEYS}?page=99", "muriel", 200, has=[], total=5),
    Case(f"GET {KEYS}?page=4294967295&per_page=255", "muriel", 200, has=[], total=5),
    Case(f"GET {KEYS}?revoked=true", "muriel", 200, has=names("muriel.revoked"), total=1),
    Case(f"GET {KEYS}?revoked=false&name=spare", "muriel", 200, has=names("spare"), total=1),
    Case(f"GET {KEYS}?name=Spare", "muriel", 200, has=[], total=0),
    Case(f"GET {KEYS}?search=SPAR", "muriel", 200, has=names("spare"), total=1),
    Case(f"GET {KEYS}?search={{muriel.spare}}", "muriel", 200, has=names("spare"), total=1),
    Case(f"GET {KEYS}?search=%25", "muriel", 200, has=[], total=0),
    Case(f"GET {KEYS}?search=mur_el", "muriel", 200, has=[], total=0),
    Case(f"GET {KEYS}?slug=muriel-key", "muriel", 200, has=names("muriel.key"), total=1),
    Case(f"GET {KEYS}?slug=muriel-revoked", "muriel", 200, has=[], total=0),
    Case(f"GET {KEYS}?slug=muriel-revoked&revoked=true", "muriel", 200,
         has=names("muriel.revoked"), total=1),
    Case(f"GET {TOKENS}", "muriel", 200, has=names("muriel.token", "muriel.token_expired"),
         total=2),
    Case(f"GET {TOKENS}?search=muriel-token-exp", "muriel", 200, has=names("muriel.token_expired")),
    Case(f"GET {TOKENS}?revoked=true", "muriel", 200, has=names("muriel.token_revoked"), total=1),
    Case(f"GET {RUNS}?search=ORPHAN", "muriel", 200, has=names("computer.orphan"), total=1),
    Case(f"GET {RUNS}?revoked=true", "muriel", 200, has=names("computer.revoked"), total=1),
]

# Who may do what to users' credentials.
USERS = [
    *(Case("GET " + path, who, 200) for path in (KEYS, TOKENS)
      for who in ("muriel", "muriel.token", "muriel.key", "eustace", "eustace.key")),
    *(Case("GET " + path, who, 403, USER_403)
      for path in (KEYS, TOKENS, KEYS + "/{muriel.key}", TOKENS + "/{muriel.token}")
      for who in ("courage", "courage.key", "courage.token", "maintainer")),
    *(Case(f"{method} {path}/{row}", "courage", 403, USER_403, body)
      for path, row in ((KEYS, "{muriel.key}"), (TOKENS, "{muriel.token}"))
      for method, body in (("PATCH", {"name": "x"}), ("DELETE", None))),
    Case("POST " + KEYS, "courage", 403, USER_403, {"name": "x"}),
    Case("GET " + KEYS, "muriel.key", 200, has=names("muriel.key"), total=1),
    Case(f"GET {KEYS}?revoked=true", "muriel.key", 200, has=[], total=0),
    Case("GET " + KEYS, "eustace.key", 200, has=[], total=0),
    Case("GET /v0/users/eustace-bagge/keys", "eustace.key", 200, has=names("eustace.key")),
    Case("GET /v0/users/nobody/keys", "eustace", 404, USER_404),
    Case("GET " + KEYS + "/{muriel.key}", "muriel.key", 200, has={"uuid": "{muriel.key}"}),
    *(Case(f"GET {KEYS}/{{muriel.spare}}", who, status, says) for who, status, says in
      (("muriel.key", 403, self_403("view")), ("eustace.key", 403, self_403("view")),
       ("muriel", 200, None), ("muriel.token", 200, None), ("eustace", 200, None))),
    Case(f"PATCH {KEYS}/{{muriel.spare}}", "muriel.key", 403, self_403("update"), {"name": "x"}),
    Case(f"DELETE {KEYS}/{{muriel.spare}}", "muriel.key", 403, self_403("revoke")),
    Case(f"DELETE {KEYS}/{{muriel.spare}}", "eustace.key", 403, self_403("revoke")),
    # A key of another user is none of this one's, whoever asks.
    *(Case(f"{method} {KEYS}/{{courage.key}}", "eustace", 404, USER_KEY_404, body)
      for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None))),
    *(Case(f"{method} {TOKENS}/{{courage.token}}", "eustace", 404, TOKEN_404, body)
      for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None))),
    Case(f"GET {KEYS}/{{muriel.token}}", "muriel", 404, USER_KEY_404),
    Case(f"GET {TOKENS}/{{muriel.key}}", "muriel", 404, TOKEN_404),
    Case(f"GET {KEYS}/{{computer.key}}", "muriel", 404, USER_KEY_404),
    Case("GET /v0/users/locked-lou/keys", "eustace", 200, has=names("locked.key")),
    *(Case("GET /v0/users/no-mail/keys", who, 200, has=names("mailless.key"))
      for who in ("mailless", "mailless.key")),
    Case("GET /v0/users/no-mail/keys", "muriel", 403, USER_403),
    Case(f"GET {KEYS}/{{muriel.key}}", "muriel", 200,
         has=members("uuid", "user", "name", "creation", "expiration", "slug")),
    Case(f"GET {KEYS}/{{muriel.revoked}}", "muriel", 200,
         has=members("uuid", "user", "name", "creation", "expiration", "revoked", "slug")),
    Case(f"GET {KEYS}/{{muriel.expired}}", "muriel", 200, has=lacks("revoked")),
    Case(f"GET {KEYS}/{{muriel.nine}}", "muriel", 200, has={"scopes": [9]}),
    Case(f"GET {TOKENS}/{{muriel.token_expired}}", "muriel", 200,
         has=members("uuid", "user", "name", "token", "creation", "expiration", "slug")),
    Case("GET " + TOKENS, "eustace", 200,
         has=lambda test, rows: test.assertEqual({row["user"] for row in rows},
                                                 {test.uuid("muriel")})),
]

# Who may do what to projects' keys.
PROJECTS = [
    *(Case("GET " + RUNS, who, 200) for who in
      ("maintainer", "maintainer.key", "muriel", "muriel.token", "eustace", "eustace.key")),
    *(Case("GET " + HIDDEN, who, 200) for who in ("maintainer", "maintainer.key", "eustace")),
    *(Case(f"{method} {RUNS}{row}", who, 403, PROJECT_403, body)
      for who in ("viewer", "developer", "courage", "courage.key", "mailless.key")
      for method, row, body in (("GET", "", None), ("POST", "", {"name": "x"}),
                                ("GET", "/{computer.key}", None),
                                ("PATCH", "/{computer.key}", {"name": "x"}),
                                ("DELETE", "/{computer.key}", None))),
    *(Case(f"{method} {HIDDEN}{row}", who, 404, PROJECT_404, body)
      for who in ("viewer", "developer", "muriel", "courage.key")
      for method, row, body in (("GET", "", None), ("POST", "", {"name": "x"}),
                                ("GET", "/{vault.key}", None),
                                ("PATCH", "/{vault.key}", {"name": "x"}),
                                ("DELETE", "/{vault.key}", None))),
    Case(f"GET {RUNS}/{{vault.key}}", "eustace", 404, PROJECT_KEY_404),
    Case(f"GET {RUNS}/{NO_UUID}", "muriel", 404, PROJECT_KEY_404),
    Case(f"DELETE {RUNS}/{{muriel.key}}", "muriel", 404, PROJECT_KEY_404),
    Case(f"GET {RUNS}/{{computer.key}}", "muriel", 200,
         has=members("uuid", "project", "creator", "name", "creation", "expiration", "slug")),
    Case(f"GET {RUNS}/{{computer.key}}", "muriel", 200,
         has={"creator": "{muriel}", "project": "{computer}"}),
    Case(f"GET {RUNS}/{{computer.orphan}}", "muriel", 200, has={"creator": None}),
    Case(f"GET {RUNS}/{{computer.revoked}}", "muriel", 200,
         has={"revoked": "2023-07-23T08:13:20Z"}),
    Case(f"GET {RUNS}/{{computer.expired}}", "muriel", 200, has=lacks("revoked")),
]

GOOD_BODIES = [
    {"name": "a"}, {"name": "a" * 64}, {"name": "\u00e9" * 64}, {"name": "\U0001f511"},
    {"name": "a\u0000b"}, {"name": "a b"}, {"name": 'q"\\'}, {"name": '","key":""'},
    {"name": "x", "ttl": 1},
    {"name": "x", "ttl": None}, {"name": "x", "ttl": TTL_MAX}, {"name": "x", "more": [1]},
    b' \r\n\t{"name" : "spaced"} \n', b'{"name":"\\ud83d\\udd11"}', b'{"name":"x","a":1,"a":2}',
]
BAD_BODIES = [
    {}, {"name": None}, {"name": ""}, {"name": " x"}, {"name": "x "}, {"name": "\u00a0x"},
    {"name": "a" * 65}, {"name": "\u00e9" * 65}, {"name": 1}, {"name": ["x"]}, {"name": {}},
    {"name": "x", "ttl": -1}, {"name": "x", "ttl": TTL_MAX + 1}, {"name": "x", "ttl": 1.5},
    {"name": "x", "ttl": "1"}, {"name": "x", "ttl": True}, {"name": "x", "ttl": [1]},
    {"name": "x", "ttl": 2 ** 64}, b'{"name":"x","ttl":1e400}', [], "null", "1", '"x"', "", "{",
    '{"name":"x"', '{"name":"x"}x', '{"name":"x"}{}', '{"name":"x","name":"x"}',
    '{"name":"x","ttl":1,"ttl":1}', "{'name':'x'}", '{"name":"x",}', '{"name":"\\ud83d"}',
    '{"name":"\\udd11\\ud83d"}', b'{"name":"\xff"}', b'{"name":"\xed\xa0\x80"}',
    b'{"name":"\xc0\xaf"}', '{"name":"a\nb"}', b"\xef\xbb\xbf{}", b"\x00", "[" * 5000,
    '{"a":' * 2000, {"name": CANARY * 10}, {"name": CANARY, "ttl": CANARY},
    '{"name":"x","ttl":NaN}', '{"name":"x","ttl":01}',
]

BODIES = [
    *(Case("POST " + path, "muriel", 400, BAD_BODY, body) for path in (KEYS, RUNS)
      for body in BAD_BODIES),
    *(Case("POST " + TOKENS, "muriel", 400, BAD_BODY, body) for body in BAD_BODIES[::4]),
    *(Case("POST " + path, "muriel", 201, body=body) for path in (KEYS, RUNS)
      for body in GOOD_BODIES),
    Case("POST " + TOKENS, "muriel", 403, TOKENS_403, {"name": "x"}),
    Case("POST " + KEYS, "muriel", 400, TTL_400, {"name": "x", "ttl": 0}),
    Case("POST " + RUNS, "muriel", 400, TTL_400, {"name": "x", "ttl": 0}),
    *(Case("POST " + KEYS, "muriel", 400, 'expected content type "application/json"',
           '{"name":"x"}', headers={"Content-Type": kind}) for kind in
      ("text/plain", "application/xml", "application/jsonx", "x",
       "application/x-www-form-urlencoded", f"text/{CANARY}")),
    *(Case("POST " + KEYS, "muriel", 201, body='{"name":"x"}', headers={"Content-Type": kind})
      for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;a=b")),
    *(Case(f"PATCH {path}", "muriel", 409, NO_CHANGES, body)
      for path in (KEYS + "/{muriel.spare}", TOKENS + "/{muriel.token}", RUNS + "/{computer.key}",
                   KEYS + "/{muriel.revoked}")
      for body in ({}, {"name": None}, {"ttl": 5})),
    *(Case(f"PATCH {path}", "muriel", 400, BAD_BODY, body)
      for path in (KEYS + "/{muriel.spare}", TOKENS + "/{muriel.token}", RUNS + "/{computer.key}")
      for body in ({"name": ""}, {"name": " x"}, {"name": 5}, {"name": "a" * 65}, "", "[]",
                   '{"name":"x"} y')),
    *(Case("POST " + path, "muriel", 403, SCOPES_403, {"name": "x", "scopes": ["verify"]})
      for path in (KEYS, RUNS)),
    *(Case("POST " + KEYS, "eustace", 400, BAD_BODY, {"name": "x", "scopes": scopes})
      for scopes in (["x"], [64], [-1], [1.5], "verify", [[]], 9, {"a": 1}, [CANARY], ["9"])),
    Case("POST " + KEYS, "eustace", 201, body={"name": "x", "scopes": ["verify", 9, 63]},
         has={"scopes": ["verify", 9, 63], "user": "{muriel}"}),
    Case("POST " + KEYS, "eustace", 201, body={"name": "x", "scopes": None}, has=lacks("scopes")),
    Case("POST " + RUNS, "eustace.key", 201, body={"name": "x", "scopes": [8]},
         has={"scopes": [8]}),
]

OPTIONS = [(path, methods) for paths, methods in (
    ((KEYS, TOKENS, RUNS, "/v0/users", "/v0/projects"), {"GET", "POST"}),
    ((KEYS + f"/{NO_UUID}", TOKENS + f"/{NO_UUID}", RUNS + f"/{NO_UUID}", "/v0/users/x",
      "/v0/projects/x"), {"GET", "PATCH", "DELETE"}),
    (("/v0/projects/x/grants/y",), {"GET", "PUT", "DELETE"}),
    (("/v0/projects/x/grants", "/v0/stats", "/v0/server/version", "/healthz", "/readyz",
      "/v0/openapi.json"), {"GET"}),
    (("/v0/verify", "/v0/identify"), {"POST"})) for path in paths]


class Cases(TableTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scoped = (("muriel.nine", KEYS, [9]), ("muriel.verify", KEYS, ["verify"]),
                  ("eustace.nine", "/v0/users/eustace-bagge/keys", [9]))
        for name, path, scopes in scoped:
            made = cls.host.call("POST", path, cls.world.secrets["eustace"],
                                 {"name": name, "scopes": scopes}).json()
            cls.world.secrets[name] = made["key"]
            cls.world.ids[name] = made["uuid"]
        cls.host.call("DELETE", "/v0/users/le-aver", cls.world.secrets["eustace"])

    def test_1_headers(self):
        self.run_table(HEADERS)

    def test_1_look_up(self):
        self.run_table(LOOK_UP)

    def test_1_order(self):
        self.run_table(ORDER)

    def test_1_paths(self):
        self.run_table(PATHS)

    def test_1_lists(self):
        self.run_table(LISTS)

    def test_1_users(self):
        self.run_table(USERS)

    def test_1_projects(self):
        self.run_table(PROJECTS)

    def test_2_bodies(self):
        self.run_table(BODIES)

    def test_the_scheme_and_spaces_around_the_credential(self):
        for value in ("bearer {}", "BEARER {}", "Bearer  {}", "Bearer {}  ", "bEaReR   {} "):
            for who in ("muriel", "muriel.key", "muriel.token"):
                self.call("GET", KEYS, authorization=value.format(self.secret(who)), status=200)

    def test_uuid_spellings(self):
        user, key = self.uuid("muriel"), self.uuid("muriel.key")
        for spell in (str.upper, lambda text: text.replace("-", ""), "{{{}}}".format,
                      "urn:uuid:{}".format):
            target = f"/v0/users/{spell(user)}/keys/{spell(key)}"
            answer = self.call("GET", target.replace("{", "%7B").replace("}", "%7D"), "muriel",
                               status=200)
            self.assertEqual(answer.json()["uuid"], key)

    def test_a_private_project_is_as_good_as_missing(self):
        def bytes_of(path, method, body):
            answer = self.call(method, path, "courage", body, status=404)
            headers = {name: value for name, value in answer.pairs
                       if name not in ("x-request-id", "date")}
            return headers, answer.body.replace(answer.headers["x-request-id"].encode(), b"")
        for tail, method, body in (("", "GET", None), ("", "POST", {"name": "x"}),
                                   ("/{vault.key}", "GET", None), ("/{vault.key}", "DELETE", None)):
            tail = self.filled(tail)
            due = bytes_of("/v0/projects/nowhere/keys" + tail, method, body)
            self.assertEqual(bytes_of(HIDDEN + tail, method, body), due)
            for project in (self.uuid("vault"), self.uuid("gone"), NO_UUID, "the-gone"):
                self.assertEqual(bytes_of(f"/v0/projects/{project}/keys{tail}", method, body), due)

    def life(self, path, owner, create_members, view_members, who, what):
        """Create, view, rename, revoke; what each shows."""
        answer = self.call("POST", path, who, {"name": "Life of  a key", "ttl": 3600}, status=201)
        made = answer.json()
        self.assertEqual(list(made), create_members)
        self.assertRegex(made["uuid"], UUID)
        self.assertRegex(made["creation"], TIME)
        self.assertEqual(made["slug"], "life-of-a-key")
        self.assertEqual(made[owner[0]], owner[1])
        row = f"{path}/{made['uuid']}"
        viewed = self.call("GET", row, who, status=200).json()
        self.assertEqual(list(viewed), view_members)
        self.assertEqual({k: v for k, v in viewed.items() if k != "creator"},
                         {k: v for k, v in made.items() if k != "key"})
        self.assertTrue(self.verify(made["key"])["active"])
        renamed = self.call("PATCH", row, who, {"name": "Other"}, status=200).json()
        self.assertEqual((renamed["name"], renamed["slug"]), ("Other", "life-of-a-key"))
        self.assertEqual(self.call("PATCH", row, who, {"name": "Other"}, status=200).json()["name"],
                         "Other")
        self.assertEqual(self.call("GET", row, who, status=200).json()["name"], "Other")
        self.call("DELETE", row, who, status=204)
        self.assertEqual(self.verify(made["key"]), {"active": False})
        again = self.call("DELETE", row, who, status=409)
        self.assertEqual(again.message, f"{what} has already been revoked")
        self.call("DELETE", row + "?created=false", who, status=409)
        revoked = self.call("PATCH", row, who, {"name": "Late"}, status=200).json()
        self.assertRegex(revoked["revoked"], TIME)
        self.assertEqual(revoked["name"], "Late")
        found = self.call("GET", f"{path}?revoked=true&slug=life-of-a-key", who, status=200).json()
        self.assertEqual(found, [revoked])
        return made

    def test_life_of_a_user_key(self):
        created = ["uuid", "user", "name", "key", "creation", "expiration", "slug"]
        viewed = ["uuid", "user", "name", "creation", "expiration", "slug", "creator"]
        made = self.life("/v0/users/courage/keys", ("user", self.uuid("courage")), created, viewed,
                         "courage", "User key")
        self.assertRegex(made["key"], r"\Abencher_user_[0-9A-Za-z]{30}\Z")

    def test_life_of_a_project_key(self):
        created = ["uuid", "project", "name", "key", "creation", "expiration", "slug"]
        viewed = ["uuid", "project", "creator", "name", "creation", "expiration", "slug"]
        made = self.life(HIDDEN, ("project", self.uuid("vault")), created, viewed, "maintainer",
                         "Project key")
        self.assertRegex(made["key"], r"\Abencher_run_[0-9A-Za-z]{30}\Z")

    def test_life_of_a_token(self):
        row = "/v0/users/courage/tokens/" + self.uuid("courage.token")
        token = self.secret("courage.token")
        viewed = self.call("GET", row, "courage.token", status=200).json()
        self.assertEqual(viewed["token"], token.rpartition(".")[0] + ".REDACTED")
        renamed = self.call("PATCH", row, "courage.key", {"name": "n"}, status=200).json()
        self.assertEqual(renamed, {**viewed, "name": "n"})
        self.call("DELETE", row, "courage.token", status=204)
        answer = self.call("GET", row, "courage.token", status=401)
        self.assertEqual(answer.message, REVOKED_TOKEN)
        answer = self.call("DELETE", row, "courage", status=409)
        self.assertEqual(answer.message, "Token has already been revoked")
        revoked = self.call("PATCH", row, "courage", {"name": "m"}, status=200).json()
        self.assertRegex(revoked["revoked"], TIME)

    def test_a_user_key_revokes_itself(self):
        made = self.create("/v0/users/courage/keys", "self", "courage")
        row = "/v0/users/courage/keys/" + made["uuid"]
        self.call("PATCH", row, made["key"], {"name": "me"}, status=200)
        self.call("DELETE", row, made["key"], status=204)
        self.assertEqual(self.call("GET", row, made["key"], status=401).message, INVALID_KEY)

    def test_a_leaked_key_goes_with_all_that_it_made(self):
        leaked = self.create("/v0/users/mae-maintainer/keys", "leaked", "maintainer")
        sibling = self.create(HIDDEN, "by the session", "maintainer")
        made = [self.create(HIDDEN, f"made {n}", leaked["key"]) for n in range(3)]
        self.assertEqual(self.call("GET", f"{HIDDEN}/{made[0]['uuid']}", "maintainer").json()
                         ["creator"], self.uuid("maintainer"))
        row = "/v0/users/mae-maintainer/keys/" + leaked["uuid"]
        for query in ("created=", "created=1", "created=TRUE", "created=true&created=true"):
            self.call("DELETE", f"{row}?{query}", "maintainer", status=400)
        # Revoked alone, then with what it made, of which one is still active; then nothing is left.
        self.call("DELETE", row, "maintainer", status=204)
        self.assertTrue(all(self.verify(key["key"])["active"] for key in made))
        self.call("DELETE", f"{HIDDEN}/{made[0]['uuid']}", "maintainer", status=204)
        self.call("DELETE", row + "?created=true", "maintainer", status=204)
        for key in made:
            self.assertFalse(self.verify(key["key"])["active"])
        self.assertTrue(self.verify(sibling["key"])["active"])
        self.assertEqual(self.call("DELETE", row + "?created=true", "maintainer", status=409)
                         .message, "User key has already been revoked")

    def test_a_leaked_key_in_one_step(self):
        leaked = self.create("/v0/users/mae-maintainer/keys", "leaked", "maintainer")
        made = self.create(HIDDEN, "made", leaked["key"])
        row = "/v0/users/mae-maintainer/keys/" + leaked["uuid"]
        self.call("DELETE", row + "?created=true", leaked["key"], status=204)
        self.assertFalse(self.verify(made["key"])["active"])
        self.assertFalse(self.verify(leaked["key"])["active"])

    def test_a_leaked_token_goes_with_the_keys_that_it_made(self):
        keys = "/v0/users/mae-maintainer/keys"
        made = [self.create(keys, "by a token", "maintainer.token"),
                self.create(HIDDEN, "by a token", "maintainer.token")]
        other = self.create(keys, "by the session", "maintainer")
        row = "/v0/users/mae-maintainer/tokens/" + self.uuid("maintainer.token")
        self.call("DELETE", row + "?created=true", "maintainer", status=204)
        self.assertEqual([self.verify(key["key"])["active"] for key in (*made, other)],
                         [False, False, True])
        self.call("GET", row, "maintainer.token", status=401)

    def test_options_needs_no_credential(self):
        for path, methods in OPTIONS:
            for authorization in (None, "Bearer " + CANARY):
                answer = self.call("OPTIONS", path, authorization=authorization, status=200)
                allowed = answer.headers["access-control-allow-methods"]
                self.assertEqual(set(allowed.split(", ")), methods, path)
        for path, due in ((KEYS, "GET, POST"), (KEYS + f"/{NO_UUID}", "GET, PATCH, DELETE")):
            answer = self.call("OPTIONS", path)
            self.assertEqual(answer.headers["access-control-allow-methods"], due)
        self.call("OPTIONS", "/v0/nothing", status=404)

    def test_other_methods_say_which_are_allowed(self):
        for path, methods in OPTIONS:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if method in methods:
                    continue
                answer = self.call(method, path, status=405)
                self.assertEqual(answer.message, "Method Not Allowed")
                allow = set(answer.headers["allow"].split(", "))
                self.assertTrue(methods <= allow, answer)
                self.assertNotIn(method, allow)

    def test_head_is_get_without_a_body(self):
        for path, who, status in ((KEYS + "?per_page=1", "muriel", 200), (TOKENS, "muriel", 200),
                                  (KEYS + "/" + self.uuid("muriel.key"), "muriel", 200),
                                  (KEYS, "courage", 403), (KEYS, None, 400), ("/v0/x", None, 404),
                                  ("/healthz", None, 200), ("/v0/server/version", None, 200)):
            got = self.call("GET", path, who, status=status)
            head = self.call("HEAD", path, who, status=status)
            for name in ("x-total-count", "link", "content-type", "www-authenticate"):
                self.assertEqual(head.headers.get(name), got.headers.get(name), path)

    def test_what_everybody_may_ask(self):
        for authorization in (None, "", "Bearer", "Bearer " + new_secret(), "Basic x",
                              "Bearer bencher_user_x", "\xff"):
            answer = self.call("GET", "/v0/server/version", authorization=authorization, status=200)
            self.assertEqual(list(answer.json()), ["version", "server"])
            self.assertEqual(answer.json()["version"], "0.6.12")
            self.assertRegex(answer.json()["server"], r"\Alatchkey \d+\.\d+\.\d+")
            for path in ("/healthz", "/readyz"):
                answer = self.call("GET", path, authorization=authorization, status=200)
                self.assertEqual(answer.json(), {"status": "ok"})
            self.call("GET", "/v0/openapi.json", authorization=authorization, status=200)
        self.call("GET", "//v0/server/version", status=200)

    def test_the_table_is_whole(self):
        tables = (HEADERS, LOOK_UP, ORDER, PATHS, LISTS, USERS, PROJECTS, BODIES)
        self.assertGreater(sum(map(len, tables)), 400)


if __name__ == "__main__":
    unittest.main()
