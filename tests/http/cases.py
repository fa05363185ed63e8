"""What a row of the tables says: an asked request, who asks, and the answer that is due."""

import dataclasses
import re
import typing

from harness import HINT, HttpTest, redacted

MAYBE = "may be private and require authentication or it may not exist."
USER_404 = f"User not found.\nUser {MAYBE}"
TOKEN_404 = f"Token not found.\nToken {MAYBE}"
USER_KEY_404 = f"User Key not found.\nUser Key {MAYBE}"
PROJECT_404 = f"Project not found.\nProject {MAYBE}\n{HINT}"
PROJECT_KEY_404 = f"Project Key not found.\nProject Key {MAYBE}\n{HINT}"
PROJECT_403 = ("Project access denied: manage. This Project is public but you do not have the "
               "required permission.")
USER_403 = "User is not admin and the authenticated user does not match the requested user"
ADMIN_403 = "Only an administrator can do this"
SCOPED_403 = "This credential is limited to its scopes, and they do not allow this"
SCOPES_403 = "Only an administrator can set scopes"
TOKENS_403 = ("User API tokens are deprecated and can no longer be created. Create a user API key "
              "instead: POST /v0/users/{user}/keys")
KEY_CREATES_403 = ("A user API key cannot be used to create another user API key. Authenticate "
                   "with a JWT (user session token) instead.")
VERIFY_403 = "The scope verify is needed, or an administrator"
NO_CHANGES = "There are no changes to save"
TTL_400 = "TTL must be greater than zero"
NO_HEADER = f'Request is missing "Authorization" header. {HINT}'
INVALID_HEADER = f'Request has an invalid "Authorization" header. {HINT}'
NO_BEARER = f'Request is missing "Authorization" Bearer. {HINT}'
BAD_KEY = "Malformed user API key"
BAD_JWT = "Malformed JSON Web Token"
FALSE_JWT = "Failed to validate JSON Web Token"
EXPIRED_JWT = "Failed to validate JSON Web Token: Expired JSON Web Token"
LOCKED_403 = "Your account has been locked. Please contact support."
INVALID_KEY = "Invalid user key"
INVALID_PROJECT_KEY = "Invalid project key"
REVOKED_TOKEN = "This API token has been revoked and is no longer valid"
BAD_PATH = re.compile(r"bad parameter in URL path: .")
BAD_QUERY = re.compile(r"unable to parse query string: .")
BAD_BODY = re.compile(r"unable to parse JSON body: .")
THROTTLED = "Too many failed guesses from this address. Try again later."


def self_403(verb):
    return (f"A user API key can only {verb} itself. Authenticate with a JWT (user session token) "
            f"to {verb} other keys.")


@dataclasses.dataclass
class Case:
    """`asked` is a method and a target, in which {name} is the UUID of that name in the world.
    `who` is a credential's name, None for no header. `says` is the whole message, or a pattern that
    it begins with. `has` is what the answer's JSON has: a dict of members (a list is the whole
    list), or a function of the test and the value."""
    asked: str
    who: typing.Optional[str]
    status: int
    says: typing.Union[str, re.Pattern, None] = None
    body: typing.Any = None
    has: typing.Any = None
    headers: dict = dataclasses.field(default_factory=dict)
    authorization: typing.Optional[str] = None
    total: typing.Optional[int] = None


class TableTest(HttpTest):
    def run_table(self, table):
        for number, case in enumerate(table):
            with self.subTest(number=number, asked=case.asked, who=redacted(case.who)):
                self.run_case(case)

    def filled(self, text):
        return re.sub(r"\{([\w.]+)\}", lambda match: self.world.ids[match.group(1)], text)

    def run_case(self, case):
        method, target = self.filled(case.asked).split(" ", 1)
        answer = self.call(method, target, case.who, case.body, headers=case.headers,
                           authorization=case.authorization)
        self.assertEqual(answer.status, case.status, answer)
        if isinstance(case.says, str):
            self.assertEqual(answer.message, case.says, answer)
        elif case.says is not None:
            self.assertRegex(answer.message, r"\A" + case.says.pattern, answer)
        if case.total is not None:
            self.assertEqual(answer.total, case.total, answer)
        if callable(case.has):
            case.has(self, answer.json())
        elif isinstance(case.has, list):
            self.assertEqual(answer.json(), case.has, answer)
        elif case.has is not None:
            value = answer.json()
            for member, due in case.has.items():
                if isinstance(due, str):
                    due = self.filled(due)
                self.assertIn(member, value, answer)
                self.assertEqual(value[member], due, f"{member} in {answer!r}")


def names(*due):
    """The names of a list's rows, in order."""
    return lambda test, rows: test.assertEqual([row["name"] for row in rows], list(due))


def members(*due):
    """The members of the one row, or of every row, in order; another suite's use of the row may
    have left its time at the end."""
    def check(test, value):
        for row in value if isinstance(value, list) else [value]:
            found = list(row)
            test.assertEqual(found[:-1] if found[-1] == "last_used" else found, list(due))
    return check


def lacks(*absent):
    def check(test, value):
        for member in absent:
            test.assertNotIn(member, value)
    return check
