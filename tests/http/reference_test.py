"""A store taken over from the reference system, served: every secret of it gets over REST the
verdict that the command line gives, and every list has what the export says. LATCHKEY_SHARED_DATA
names the folder of the export; without it there is nothing to ask."""

import collections
import csv
import json
import os
import pathlib
import unittest

from harness import HttpTest
from world import World, claims_of, sign

DATA = pathlib.Path(os.environ.get("LATCHKEY_SHARED_DATA", "absent"))
# What the reference signs with unless it is told otherwise.
PUBLISHED_SECRET = b"DO_NOT_USE_THIS_IN_PRODUCTION"
ADMIN = "eustace.bagge@nowhere.com"


class Export(World):
    def __init__(self):
        super().__init__()
        self.rows = [json.loads(line) for line in
                     (DATA / "bencher.ndjson").read_text(encoding="utf-8").splitlines()]
        with open(DATA / "bencher-secrets.tsv", encoding="utf-8", newline="") as file:
            self.table = list(csv.reader(file, delimiter="\t"))
        self.secrets = {uuid: secret for _, uuid, _, secret in self.table}
        self.secrets["admin"] = sign(claims_of(ADMIN), PUBLISHED_SECRET)


@unittest.skipUnless((DATA / "bencher.ndjson").exists(), "the export is not here")
class Reference(HttpTest):
    world_type = Export
    with_host = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The command line's word first: afterwards the host holds the store.
        lines = cls.cli("verify", "--each", "-o", "json",
                        stdin="\n".join(row[3] for row in cls.world.table)).splitlines()
        cls.due = [json.loads(line) for line in lines]
        (cls.folder / "jwt.secret").write_bytes(PUBLISHED_SECRET)
        cls.start()

    def test_every_verdict(self):
        tokens = [row[3] for row in self.world.table]
        told = []
        for at in range(0, len(tokens), 1000):
            told += self.call("POST", "/v0/verify?reason=true", "admin",
                              {"tokens": tokens[at:at + 1000]}, status=200).json()["results"]
        self.assertEqual(len(told), len(self.due))
        for (kind, uuid, _, _), verdict, due in zip(self.world.table, told, self.due):
            self.assertEqual((verdict["active"], verdict["reason"]),
                             (due["verdict"] == "allowed", due["reason"]), uuid)
            if due["uuid"] is not None:
                self.assertEqual((verdict["kind"], verdict["uuid"], verdict["owner"]),
                                 (kind, uuid, due["owner"]))
        self.assertGreater(len({verdict["reason"] for verdict in told}), 3)

    def test_every_list_is_as_long_as_the_export_says(self):
        counts = collections.Counter()
        live = set()
        for row in self.world.rows:
            if row["type"] in ("user", "project"):
                if not row.get("deleted"):
                    live.add(row["uuid"])
            elif row["type"] != "grant":
                owner = row.get("user") or row["project"]
                counts[row["type"], owner, row["revoked"] is not None] += 1
        paths = {"user_key": "users/{}/keys", "user_token": "users/{}/tokens",
                 "project_key": "projects/{}/keys"}
        for (kind, owner, revoked), count in counts.items():
            path = f"/v0/{paths[kind].format(owner)}?per_page=255&revoked={str(revoked).lower()}"
            answer = self.call("GET", path, "admin", status=200 if owner in live else 404)
            if owner in live:
                self.assertEqual(answer.total, count, path)
                self.assertEqual({row.get("user") or row["project"] for row in answer.json()},
                                 {owner})

    def test_stored_tokens_and_keys_act_as_their_users(self):
        owners = {row["uuid"]: row.get("user") for row in self.world.rows
                  if row["type"].startswith("user_")}
        allowed = collections.defaultdict(list)
        for (kind, uuid, _, secret), due in zip(self.world.table, self.due):
            if due["verdict"] == "allowed" and uuid in owners:
                allowed[kind].append((owners[uuid], uuid, secret))
        for kind, path in (("user_key", "keys"), ("user_token", "tokens")):
            for owner, uuid, secret in allowed[kind][:20]:
                self.call("GET", f"/v0/users/{owner}/{path}/{uuid}", secret, status=200)
        self.assertTrue(allowed["user_token"])


if __name__ == "__main__":
    unittest.main()
