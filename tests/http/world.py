"""The people, projects and credentials that every suite finds in its store, and forged JWTs.

A credential is named by its owner and what it is: `muriel` is a session (a client JWT) of Muriel's,
`muriel.key` her user key, `muriel.token` her API token, `computer.key` a key of that project.
"""

import base64
import hashlib
import hmac
import json
import secrets
import string
import time

ALPHABET = string.digits + string.ascii_letters
ISSUER = "http://localhost:3000/"
JWT_SECRET = b"a secret of the tests, long enough"
NO_UUID = "01897bd9-ffff-7fff-bfff-ffffffffffff"
# In every bad value that a suite sends: no error and no log line may repeat it.
CANARY = "kanarienvogel"
CREATED_S = 1690000000
FAR_S = 5000000000


def uuid_of(number):
    return f"01897bd9-0000-7000-8000-{number:012x}"


def new_secret(prefix="bencher_user_"):
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(30))


def sha256(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(claims, secret=JWT_SECRET, header=b'{"typ":"JWT","alg":"HS256"}'):
    """A JWT as the reference makes them; `claims` are an object or bytes."""
    if not isinstance(claims, bytes):
        claims = json.dumps(claims, separators=(",", ":")).encode()
    signed = base64url(header) + "." + base64url(claims)
    return signed + "." + base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


def claims_of(email, audience="client", issued_s=None, expires_s=None, **others):
    now_s = int(time.time())
    return {"aud": audience, "exp": expires_s or now_s + 86400,
            "iat": now_s if issued_s is None else issued_s, "iss": ISSUER, "sub": email,
            "org": None, "state": None, "oci": None, **others}


class World:
    """Rows for `latchkey import`, and the secrets behind them."""

    def __init__(self):
        self.rows = []
        self.ids = {}
        self.emails = {}
        self.secrets = {}
        self._number = 0
        self._people()
        self._projects()
        self._credentials()

    def _id(self, name):
        self._number += 1
        self.ids[name] = uuid_of(self._number)
        return self.ids[name]

    def user(self, name, full_name, slug, admin=False, locked=False, email=True):
        self.emails[name] = f"{name}@nowhere.com" if email else None
        self.rows.append({
            "type": "user", "uuid": self._id(name), "name": full_name, "slug": slug,
            "email": self.emails[name], "admin": admin, "locked": locked, "created": CREATED_S})
        # A session of who has no e-mail is for his UUID.
        self.secrets[name] = sign(claims_of(self.emails[name] or self.ids[name]))
        self.user_key(name + ".key", name)

    def project(self, name, full_name, slug, visibility, deleted=None):
        self.rows.append({
            "type": "project", "uuid": self._id(name), "name": full_name, "slug": slug,
            "visibility": visibility, "created": CREATED_S, "deleted": deleted})

    def grant(self, project, user, role):
        self.rows.append({"type": "grant", "project": self.ids[project], "user": self.ids[user],
                          "role": role})

    def _key(self, kind, name, owner, title, expires_s, revoked_s, **others):
        prefix = "bencher_user_" if kind == "user_key" else "bencher_run_"
        self.secrets[name] = new_secret(prefix)
        self.rows.append({
            "type": kind, "uuid": self._id(name),
            "user" if kind == "user_key" else "project": self.ids[owner], **others,
            "name": title or name, "sha256": sha256(self.secrets[name]),
            "creation": CREATED_S + self._number, "expiration": expires_s, "revoked": revoked_s})

    def user_key(self, name, owner, title=None, expires_s=FAR_S, revoked_s=None):
        self._key("user_key", name, owner, title, expires_s, revoked_s)

    def project_key(self, name, owner, title=None, expires_s=FAR_S, revoked_s=None, creator=None):
        others = {"creator": self.ids[creator]} if creator else {}
        self._key("project_key", name, owner, title, expires_s, revoked_s, **others)

    def token(self, name, owner, expires_s=FAR_S, revoked_s=None):
        # In the claims a number of its own: two tokens of one second would be the same bytes.
        creation_s = CREATED_S + self._number
        self.secrets[name] = sign(claims_of(self.emails[owner], "api_key", creation_s, expires_s))
        self.rows.append({
            "type": "user_token", "uuid": self._id(name), "user": self.ids[owner], "name": name,
            "jwt": self.secrets[name], "creation": creation_s, "expiration": expires_s,
            "revoked": revoked_s})

    def _people(self):
        self.user("eustace", "Eustace Bagge", "eustace-bagge", admin=True)
        self.user("muriel", "Muriel Bagge", "muriel-bagge")
        self.user("courage", "Courage", "courage")
        self.user("locked", "Locked Lou", "locked-lou", locked=True)
        self.user("viewer", "Vi Viewer", "vi-viewer")
        self.user("developer", "Del Developer", "del-developer")
        self.user("maintainer", "Mae Maintainer", "mae-maintainer")
        self.user("mailless", "No Mail", "no-mail", email=False)
        self.user("leaver", "Le Aver", "le-aver")  # deleted by the suites that need one deleted

    def _projects(self):
        self.project("computer", "The Computer", "the-computer", "public")
        self.project("vault", "The Vault", "the-vault", "private")
        self.project("gone", "The Gone", "the-gone", "public", deleted=CREATED_S + 9)
        for project in ("computer", "vault"):
            for role in ("viewer", "developer", "maintainer"):
                self.grant(project, role, role)
        self.grant("computer", "muriel", "maintainer")

    def _credentials(self):
        past_s = CREATED_S + 100000
        self.user_key("muriel.spare", "muriel", "spare")
        self.user_key("muriel.expired", "muriel", expires_s=past_s)
        self.user_key("muriel.revoked", "muriel", revoked_s=past_s)
        self.project_key("computer.key", "computer", creator="muriel")
        self.project_key("computer.orphan", "computer")
        self.project_key("computer.expired", "computer", expires_s=past_s)
        self.project_key("computer.revoked", "computer", revoked_s=past_s)
        self.project_key("vault.key", "vault", creator="maintainer")
        self.token("muriel.token", "muriel")
        self.token("muriel.token_expired", "muriel", expires_s=past_s)
        self.token("muriel.token_revoked", "muriel", revoked_s=past_s)
        self.token("locked.token", "locked")
        self.token("courage.token", "courage")
        self.token("maintainer.token", "maintainer")

    def ndjson(self):
        return "".join(json.dumps(row) + "\n" for row in self.rows)
