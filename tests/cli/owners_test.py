"""user and project: create, list, view, update, lock, unlock, delete; grant."""

import unittest

from harness import DONE, NO_UUID, REFUSED, USAGE, CliTest

USER_MEMBERS = ["uuid", "name", "slug", "email", "admin", "locked", "created"]
PROJECT_MEMBERS = ["uuid", "name", "slug", "visibility", "created", "deleted"]


class Users(CliTest):
    def test_create_shows_what_was_made(self):
        user = self.make_user("Muriel Bagge", "--email", "muriel@nowhere.com", "--admin")
        self.assertEqual(list(user), USER_MEMBERS)
        self.assert_uuid(user["uuid"])
        self.assert_time(user["created"])
        self.assertEqual(
            (user["name"], user["slug"], user["email"], user["admin"], user["locked"]),
            ("Muriel Bagge", "muriel-bagge", "muriel@nowhere.com", True, False))

    def test_without_an_email_it_is_null(self):
        user = self.make_user("Courage", "--slug", "dog")
        self.assertIsNone(user["email"])
        self.assertFalse(user["admin"])
        self.assertEqual(user["slug"], "dog")

    def test_view_by_slug_and_every_spelling_of_the_uuid(self):
        user = self.make_user()
        compact = user["uuid"].replace("-", "")
        for name in ("muriel-bagge", user["uuid"], user["uuid"].upper(), compact,
                     "{" + user["uuid"] + "}", "urn:uuid:" + user["uuid"]):
            self.assertEqual(self.json("user", "view", name), user)
            self.assertEqual(self.json("user", "get", name), user)

    def test_table_shows_every_field(self):
        user = self.make_user("Muriel Bagge", "--email", "muriel@nowhere.com")
        out = self.ok("user", "view", "muriel-bagge").out
        for text in (user["uuid"], "Muriel Bagge", "muriel-bagge", "muriel@nowhere.com",
                     user["created"]):
            self.assertIn(text, out)

    def test_a_user_may_be_called_like_a_verb(self):
        for name in ("list", "key", "verify", "user", "ls", "import"):
            self.make_user(name)
            self.assertEqual(self.json("user", "view", name)["slug"], name)
            self.assertEqual(self.json("user", "key", "list", name), [])

    def test_names_keep_brackets_quotes_and_commas(self):
        for name in ("[x]", "[a,b]", "{}", '"', "a,b", "--name", "-x", "%s", "true"):
            self.assertEqual(self.make_user(name)["name"], name)

    def test_update_changes_what_is_given_and_no_more(self):
        user = self.make_user("Muriel Bagge", "--email", "muriel@nowhere.com")
        renamed = self.json("user", "update", "muriel-bagge", "--name", "Muriel")
        self.assertEqual(renamed, {**user, "name": "Muriel"})
        moved = self.json("user", "edit", "muriel-bagge", "--slug", "muriel", "--admin", "true")
        self.assertEqual(moved, {**renamed, "slug": "muriel", "admin": True})
        self.refused(REFUSED, "user", "view", "muriel-bagge", says="'muriel-bagge'")
        mailed = self.json("user", "update", "muriel", "--email", "m@nowhere.com", "--admin",
                           "false")
        self.assertEqual(mailed, {**moved, "email": "m@nowhere.com", "admin": False})

    def test_an_empty_email_takes_it_away_in_both_spellings(self):
        self.make_user("A", "--email", "a@nowhere.com")
        self.assertIsNone(self.json("user", "update", "a", "--email", "")["email"])
        self.json("user", "update", "a", "--email", "a@nowhere.com")
        changed = self.json("user", "update", "a", "--email=", "--admin", "true")
        self.assertEqual((changed["email"], changed["admin"]), (None, True))

    def test_update_of_nothing_is_a_usage_error(self):
        self.make_user()
        self.refused(USAGE, "user", "update", "muriel-bagge", says="nothing to update")
        self.refused(USAGE, "user", "update", "muriel-bagge", "--admin", "yes",
                     says="true or false")

    def test_lock_and_unlock(self):
        user = self.make_user()
        self.assertEqual(self.json("user", "lock", "muriel-bagge"), {**user, "locked": True})
        self.assertIn("locked", self.ok("user", "list").out)
        self.assertEqual(self.json("user", "unlock", user["uuid"]), user)

    def test_delete_frees_the_slug_and_keeps_the_uuid(self):
        user = self.make_user()
        self.assertIsNone(self.json("user", "delete", "muriel-bagge", "--yes"))
        self.refused(REFUSED, "user", "view", "muriel-bagge")
        self.assertEqual(self.json("user", "list"), [])
        deleted = self.json("user", "list", "--deleted")
        self.assertEqual([row["uuid"] for row in deleted], [user["uuid"]])
        self.assert_time(deleted[0]["deleted"])
        self.assertEqual(self.json("user", "view", user["uuid"]), deleted[0])
        self.assertEqual(self.make_user()["slug"], "muriel-bagge")
        self.refused(REFUSED, "user", "rm", user["uuid"], "--yes", says=user["uuid"])

    def test_delete_needs_yes_without_a_terminal(self):
        user = self.make_user()
        self.refused(USAGE, "user", "delete", "muriel-bagge", says="--yes")
        self.assertEqual(self.json("user", "view", "muriel-bagge"), user)
        self.ok("user", "delete", "muriel-bagge", env={"LATCHKEY_YES": "1"})

    def test_taken_slugs_and_emails_are_conflicts(self):
        self.make_user("A", "--email", "a@nowhere.com")
        self.refused(REFUSED, "user", "create", "--name", "B", "--slug", "a", says="'B'")
        self.refused(REFUSED, "user", "create", "--name", "B", "--email", "a@nowhere.com")
        self.make_user("B")
        self.refused(REFUSED, "user", "update", "b", "--slug", "a", says="'b'")

    def test_a_taken_slug_made_from_a_name_gets_a_suffix(self):
        self.make_user("A")
        self.assertRegex(self.make_user("A")["slug"], r"\Aa-[0-9a-z]{8}\Z")

    def test_unknown_users_are_not_found_and_bad_slugs_are_usage(self):
        self.refused(REFUSED, "user", "view", "nobody", says=["'nobody'", "latchkey user list"])
        self.refused(REFUSED, "user", "view", NO_UUID)
        self.refused(USAGE, "user", "view", "Muriel-Bagge", says="'Muriel-Bagge'")
        self.refused(USAGE, "user", "create", "--name", "A", "--slug", "Muriel")
        self.refused(USAGE, "user", "create", "--name", "A", "--email", "nowhere")


class Projects(CliTest):
    def test_create_view_update(self):
        project = self.make_project("The Computer", "--private")
        self.assertEqual(list(project), PROJECT_MEMBERS)
        self.assertEqual((project["slug"], project["visibility"], project["deleted"]),
                         ("the-computer", "private", None))
        self.assertEqual(self.make_project("Open")["visibility"], "public")
        changed = self.json("project", "update", "the-computer", "--private", "false", "--name",
                            "Computer", "--slug", "computer")
        self.assertEqual(changed, {**project, "visibility": "public", "name": "Computer",
                                   "slug": "computer"})
        self.assertEqual(self.json("project", "get", "computer"), changed)

    def test_delete(self):
        project = self.make_project()
        self.refused(USAGE, "project", "delete", "the-computer", says="--yes")
        out = self.ok("--yes", "project", "rm", "the-computer").out
        self.assertIn(project["uuid"], out)
        self.assertEqual(self.json("project", "ls"), [])
        self.assert_time(self.json("project", "list", "--deleted")[0]["deleted"])
        self.refused(REFUSED, "project", "delete", project["uuid"], "--yes")

    def test_a_user_and_a_project_may_share_a_slug(self):
        self.make_user("Same")
        self.assertEqual(self.make_project("Same")["slug"], "same")


class Grants(CliTest):
    def setUp(self):
        super().setUp()
        self.user = self.make_user()
        self.project = self.make_project()

    def test_set_change_list_remove(self):
        grant = {"project": self.project["uuid"], "user": self.user["uuid"], "role": "viewer"}
        self.assertEqual(self.json("grant", "list", "the-computer"), [])
        self.assertIn("0 of 0", self.ok("grant", "list", "the-computer").out)
        made = self.json("grant", "set", "the-computer", "muriel-bagge", "viewer")
        self.assertEqual(made, grant)
        self.assertEqual(list(made), ["project", "user", "role"])
        for role in ("developer", "maintainer", "viewer", "maintainer"):
            self.json("grant", "set", self.project["uuid"], self.user["uuid"], role)
            self.assertEqual(self.json("grant", "ls", "the-computer"), [{**grant, "role": role}])
        out = self.ok("grant", "list", "the-computer").out
        for text in ("maintainer", "muriel-bagge", "1-1 of 1"):
            self.assertIn(text, out)
        self.assertIsNone(self.json("grant", "remove", "the-computer", "muriel-bagge"))
        self.assertEqual(self.json("grant", "list", "the-computer"), [])
        self.refused(REFUSED, "grant", "rm", "the-computer", "muriel-bagge",
                     says=["'muriel-bagge'", "'the-computer'"])

    def test_unknown_roles_users_and_projects(self):
        self.refused(USAGE, "grant", "set", "the-computer", "muriel-bagge", "owner",
                     says="viewer, developer or maintainer")
        self.refused(REFUSED, "grant", "set", "the-computer", "nobody", "viewer", says="'nobody'")
        self.refused(REFUSED, "grant", "set", "nothing", "muriel-bagge", "viewer",
                     says="'nothing'")
        self.refused(REFUSED, "grant", "list", "nothing")

    def test_more_grants_than_one_read_holds(self):
        rows = []
        for i in range(300):
            uuid = f"01897bd9-0000-7000-8000-{i:012x}"
            rows.append({"type": "user", "uuid": uuid, "name": f"U{i}", "slug": f"u{i}",
                         "email": f"u{i}@nowhere.com", "admin": False, "locked": False,
                         "created": 1690000000})
            rows.append({"type": "grant", "project": self.project["uuid"], "user": uuid,
                         "role": "viewer"})
        self.assertEqual(self.import_rows(rows)["imported"], 600)
        users = [grant["user"] for grant in self.json("grant", "list", "the-computer")]
        self.assertEqual(users, [row["uuid"] for row in rows if row["type"] == "user"])
        self.assertIn("1-300 of 300", self.ok("grant", "list", "the-computer").out)


class Names(CliTest):
    def test_the_rules(self):
        for name in ("\U0001F511" * 64, "a\tb", "a" * 64, "it's"):
            self.assertEqual(self.make_user(name)["name"], name)
        for name in ("", "a" * 65, "\U0001F511" * 65, "\u00a0a", "a\u00a0", " a", "a\n", b"\xff",
                     b"a\xc0\x80", b"\xed\xa0\x80"):
            self.refused(USAGE, "user", "create", "--name", name)
            self.refused(USAGE, "project", "create", "--name", name)
        self.assertEqual(self.ok("user", "list", "--name", "it's").code, DONE)
        self.refused(USAGE, "user", "list", "--name", " a")

    def test_a_bad_name_is_named_by_its_rule(self):
        answer = self.refused(USAGE, "user", "create", "--name", "a" * 65)
        self.assertIn("64", answer.err)


if __name__ == "__main__":
    unittest.main()
