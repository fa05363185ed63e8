"""A thousand keys, page by page, forward and back by Link headers: while nothing moves, and while
keys come and go."""

import itertools
import re
import threading
import unittest
import urllib.parse

from harness import LONGER, HttpTest
from world import World

COUNT = 1000
KEYS = "/v0/users/ho-arder/keys"


class Hoard(World):
    """World, and one user with many keys, some with names that look like wildcards."""

    def __init__(self):
        super().__init__()
        self.user("hoarder", "Ho Arder", "ho-arder")
        for number in range(COUNT - 5):  # four below, and hoarder.key
            self.user_key(f"hoarder.{number}", "hoarder", f"key {number * 7919 % 1000:04}")
        for name in ("100% sure", "snake_case", "snakeXcase", "key 0500"):
            self.user_key(f"hoarder.{name}", "hoarder", name)
        for number in range(3):
            self.user_key(f"hoarder.r{number}", "hoarder", f"revoked {number}",
                          revoked_s=1700000000)
        names = {row["uuid"]: row["name"] for row in self.rows
                 if row.get("user") == self.ids["hoarder"] and row["type"] == "user_key"
                 and row["revoked"] is None}
        self.stable = {uuid for uuid in names}
        # By name, then creation (which rises with the number in the UUID), then UUID.
        self.order = sorted(names, key=lambda uuid: (names[uuid].encode(), uuid))


def links(answer):
    """{rel: query} of a Link header; each a query alone, relative to what was asked."""
    found = {}
    for part in re.findall(r"<[^>]*>[^<]*", answer.headers.get("link", "")):
        match = re.fullmatch(r'<(\?[^>]*)>; rel="(first|prev|next|last)"(?:, )?', part)
        if not match or match.group(2) in found:
            raise AssertionError(answer.headers["link"])
        found[match.group(2)] = match.group(1)
    return found


class Paging(HttpTest):
    world_type = Hoard

    def page(self, query="", who="hoarder", path=KEYS):
        answer = self.call("GET", path + query, who, status=200)
        return answer.json(), answer, links(answer)

    def walk(self, query, rel):
        """Every row from that page on, in the order in which they come."""
        rows, page_count = [], 0
        while query is not None:
            some, _, found = self.page(query)
            rows += some
            query = found.get(rel)
            page_count += 1
            self.assertLess(page_count, 2000)
        return [row["uuid"] for row in rows]

    def test_forward_and_back(self):
        # Keys of the test's own, which the others do not disturb: those of the import.
        order = self.world.order
        for per_page in (100, 255, 7):
            forward = self.walk(f"?per_page={per_page}&search=", "next")
            self.assertEqual([u for u in forward if u in self.world.stable], order)
            last = self.page(f"?per_page={per_page}")[2]["last"]
            backward, query = [], last
            while query is not None:
                rows, _, found = self.page(query)
                backward = [row["uuid"] for row in rows] + backward
                query = found.get("prev")
            self.assertEqual(backward, forward)
        self.assertEqual(self.walk("?per_page=200&direction=desc", "next"), order[::-1])

    def test_which_links_there_are(self):
        for query, due in (
                ("?per_page=100", {"first": 1, "next": 2, "last": 10}),
                ("?per_page=100&page=1", {"first": 1, "next": 2, "last": 10}),
                ("?per_page=100&page=0", {"first": 1, "next": 2, "last": 10}),
                ("?per_page=100&page=5", {"first": 1, "prev": 4, "next": 6, "last": 10}),
                ("?per_page=100&page=10", {"first": 1, "prev": 9, "last": 10}),
                ("?per_page=100&page=11", {"first": 1, "prev": 10, "last": 10}),
                ("?per_page=100&page=99", {"first": 1, "prev": 10, "last": 10}),
                ("?per_page=255&page=4294967295", {"first": 1, "prev": 4, "last": 4}),
                ("?search=absent", {"first": 1, "last": 1}),
                ("?search=absent&page=7", {"first": 1, "prev": 1, "last": 1}),
                ("?per_page=0", {}), ("", {"first": 1, "next": 2, "last": 125})):
            with self.subTest(query=query):
                _, _, found = self.page(query)
                pages = {rel: int(dict(urllib.parse.parse_qsl(target[1:]))["page"])
                         for rel, target in found.items()}
                self.assertEqual(pages, due)

    def test_links_keep_the_filters(self):
        query = ("?per_page=2&search=%25+sure%26%3D%C3%A9%22%3E&direction=desc&revoked=true"
                 "&unknown=1")
        _, _, found = self.page(query)
        for target in found.values():
            given = urllib.parse.parse_qsl(target[1:])
            self.assertEqual(len(given), len(dict(given)))
            self.assertEqual({k: v for k, v in given if k not in ("page", "unknown", "sort")},
                             {"per_page": "2", "search": "% sure&=\u00e9\">", "direction": "desc",
                              "revoked": "true"})
        _, _, found = self.page("?name=key+0500&slug=key-0500&per_page=1")
        self.assertEqual(dict(urllib.parse.parse_qsl(found["last"][1:])),
                         {"name": "key 0500", "slug": "key-0500", "per_page": "1", "page": "1"})
        # All of a link is visible ASCII, whatever was asked.
        answer = self.call("GET", KEYS + "?search=%0d%0aSet-Cookie:%20x%00%3C%7F", "hoarder",
                           status=200)
        self.assertTrue(answer.headers["link"].isprintable())

    def test_search_is_literal(self):
        for search, due in (("%", ["100% sure"]), ("_", ["snake_case"]), ("snake_", ["snake_case"]),
                            ("SNAKE", ["snakeXcase", "snake_case"]), ("0% S", ["100% sure"]),
                            ("%%", []), ("\\", []), ("key 0500", None), ("e%y", [])):
            rows, answer, _ = self.page("?search=" + urllib.parse.quote(search))
            if due is None:
                self.assertEqual({row["name"] for row in rows}, {"key 0500"})
            else:
                self.assertEqual([row["name"] for row in rows], due, search)
            self.assertEqual(answer.total, len(rows))

    def test_revoked_ones_have_pages_of_their_own(self):
        rows, answer, found = self.page("?revoked=true&search=revoked+&per_page=2")
        self.assertEqual([row["name"] for row in rows], ["revoked 0", "revoked 1"])
        self.assertEqual(answer.total, 3)
        rows, _, found = self.page(found["next"])
        self.assertEqual([row["name"] for row in rows], ["revoked 2"])
        self.assertNotIn("next", found)

    def test_owners_have_pages(self):
        users, _, found = self.page("?per_page=4", "eustace", "/v0/users")
        seen = [user["slug"] for user in users]
        while "next" in found:
            users, answer, found = self.page(found["next"], "eustace", "/v0/users")
            seen += [user["slug"] for user in users]
        self.assertEqual(len(seen), answer.total)
        self.assertEqual(len(set(seen)), 10)


class Moving(HttpTest):
    """The same hoard while four threads create and revoke."""

    world_type = Hoard
    rounds = 8 if LONGER else 2

    def setUp(self):
        self.lock = threading.Lock()
        self.counts = dict.fromkeys(
            ("create sent", "created", "revoke sent", "revoked"), 0)
        self.finished = threading.Event()
        self.errors = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def snapshot(self):
        with self.lock:
            return dict(self.counts)

    def churn(self, number):
        try:
            made = []
            for round_number in itertools.count():
                if self.finished.is_set() and round_number > 10:
                    break
                self.count("create sent")
                key = self.create(KEYS, f"key {number} {round_number % 50:03}", "hoarder")
                self.count("created")
                made.append(key["uuid"])
                if len(made) > 5:
                    self.count("revoke sent")
                    self.call("DELETE", f"{KEYS}/{made.pop(0)}", "hoarder", status=204)
                    self.count("revoked")
        except BaseException as error:  # Reported by the test's own thread.
            self.errors.append(error)

    def test_pages_while_keys_come_and_go(self):
        threads = [threading.Thread(target=self.churn, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(self.rounds):
                for rel, start in (("next", "?per_page=50"), ("prev", None)):
                    self.walk_through(rel, start)
        finally:
            self.finished.set()
            for thread in threads:
                thread.join()
        if self.errors:
            raise self.errors[0]
        # Now nothing moves: exactly what is left is there, once.
        counts = self.snapshot()
        self.assertGreater(counts["revoked"], 0)
        total = COUNT + counts["created"] - counts["revoked"]
        seen, query = [], "?per_page=255"
        while query:
            answer = self.call("GET", KEYS + query, "hoarder", status=200)
            seen += [row["uuid"] for row in answer.json()]
            self.assertEqual(answer.total, total)
            query = links(answer).get("next")
        self.assertEqual(len(seen), total)
        self.assertEqual(len(set(seen)), total)
        self.assertTrue(self.world.stable <= set(seen))

    def walk_through(self, rel, query):
        query = query or links(self.call("GET", KEYS + "?per_page=50", "hoarder"))["last"]
        while query:
            # What was acknowledged before must count, what is sent afterwards must not.
            before = self.snapshot()
            answer = self.call("GET", KEYS + query, "hoarder", status=200)
            after = self.snapshot()
            self.assertGreaterEqual(answer.total,
                                    COUNT + before["created"] - after["revoke sent"])
            self.assertLessEqual(answer.total, COUNT + after["create sent"] - before["revoked"])
            names = [row["name"] for row in answer.json()]
            self.assertEqual(names, sorted(names, key=str.encode))
            query = links(answer).get(rel)


if __name__ == "__main__":
    unittest.main()
