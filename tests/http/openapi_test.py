"""GET /v0/openapi.json describes exactly what is served: the document is walked, and each operation
of it asked; what `latchkeyd --routes` lists is what it describes."""

import json
import os
import subprocess
import unittest

import jsonschema

from harness import BINARY, SOURCE, TIMEOUT_S, HttpTest
from schemas import converted

# The reference's operations, by their names there.
REFERENCE = {
    "server_version_get": ("GET", "/v0/server/version"),
    "user_tokens_get": ("GET", "/v0/users/{user}/tokens"),
    "user_token_post": ("POST", "/v0/users/{user}/tokens"),
    "user_token_get": ("GET", "/v0/users/{user}/tokens/{token}"),
    "user_token_patch": ("PATCH", "/v0/users/{user}/tokens/{token}"),
    "user_token_delete": ("DELETE", "/v0/users/{user}/tokens/{token}"),
    "user_keys_get": ("GET", "/v0/users/{user}/keys"),
    "user_key_post": ("POST", "/v0/users/{user}/keys"),
    "user_key_get": ("GET", "/v0/users/{user}/keys/{key}"),
    "user_key_patch": ("PATCH", "/v0/users/{user}/keys/{key}"),
    "user_key_delete": ("DELETE", "/v0/users/{user}/keys/{key}"),
    "proj_keys_get": ("GET", "/v0/projects/{project}/keys"),
    "proj_key_post": ("POST", "/v0/projects/{project}/keys"),
    "proj_key_get": ("GET", "/v0/projects/{project}/keys/{key}"),
    "proj_key_patch": ("PATCH", "/v0/projects/{project}/keys/{key}"),
    "proj_key_delete": ("DELETE", "/v0/projects/{project}/keys/{key}"),
}
OWN = {
    ("GET", "/v0/users"), ("POST", "/v0/users"), ("GET", "/v0/users/{user}"),
    ("PATCH", "/v0/users/{user}"), ("DELETE", "/v0/users/{user}"), ("GET", "/v0/projects"),
    ("POST", "/v0/projects"), ("GET", "/v0/projects/{project}"),
    ("PATCH", "/v0/projects/{project}"), ("DELETE", "/v0/projects/{project}"),
    ("GET", "/v0/projects/{project}/grants"), ("GET", "/v0/projects/{project}/grants/{user}"),
    ("PUT", "/v0/projects/{project}/grants/{user}"),
    ("DELETE", "/v0/projects/{project}/grants/{user}"), ("POST", "/v0/verify"),
    ("POST", "/v0/identify"), ("GET", "/v0/stats"), ("GET", "/healthz"), ("GET", "/readyz"),
    ("GET", "/v0/openapi.json"),
}
PUBLIC = {("GET", "/v0/server/version"), ("GET", "/healthz"), ("GET", "/readyz"),
          ("GET", "/v0/openapi.json")}
# What the walk asks with; a list's parameters take their first allowed value.
VALUES = {"user": "muriel-bagge", "project": "the-computer"}
BODIES = {"/v0/verify": {"token": "x"}, "/v0/identify": {"sha256": ["0" * 64]},
          "/v0/projects/{project}/grants/{user}": {"role": "viewer"}}


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


class OpenApi(HttpTest):
    def setUp(self):
        self.judged = self.judge.document
        self.document = self.judged.document
        self.operations = self.judged.operations

    def parameters(self, key):
        method, template = key
        item = self.document["paths"][template]
        both = item.get("parameters", []) + item[method.lower()].get("parameters", [])
        return [self.judged.resolve(parameter) for parameter in both]

    def test_the_document_is_sound(self):
        self.assertTrue(self.document["openapi"].startswith("3.0."))
        for reference in references(self.document):
            self.assertTrue(reference.startswith("#/"), reference)
            self.judged.resolve({"$ref": reference})
        for name, schema in self.document["components"]["schemas"].items():
            with self.subTest(schema=name):
                jsonschema.Draft4Validator.check_schema(converted(schema))
        ids = [operation["operationId"] for operation in self.operations.values()]
        self.assertEqual(len(set(ids)), len(ids))

    def test_every_path_parameter_is_declared(self):
        for key in self.operations:
            with self.subTest(operation=key):
                declared = {p["name"] for p in self.parameters(key) if p["in"] == "path"}
                used = {part[1:-1] for part in key[1].split("/") if part.startswith("{")}
                self.assertEqual(declared, used)

    def test_nothing_more_and_nothing_less(self):
        self.assertEqual(set(self.operations), set(REFERENCE.values()) | OWN)
        for name, key in REFERENCE.items():
            self.assertEqual(self.operations[key]["operationId"], name)

    def test_the_program_lists_the_same(self):
        process = subprocess.run([BINARY, "--routes"], capture_output=True, check=True,
                                 cwd=self.folder, env=self.environment(), timeout=TIMEOUT_S)
        routes = [tuple(line.split(" ")) for line in process.stdout.decode().splitlines()]
        self.assertEqual(len(set(routes)), len(routes))
        routes = {route for route in routes if route[0] not in ("OPTIONS", "HEAD")}
        self.assertEqual(routes, set(self.operations))

    def ask(self, key, who):
        """The operation, asked with parameters and a body that the document allows."""
        method, template = key
        target = template
        query = []
        for parameter in self.parameters(key):
            schema = self.judged.resolve(parameter.get("schema", {}))
            if parameter["in"] == "path":
                name = parameter["name"]
                value = self.uuid(f"muriel.{'token' if name == 'token' else 'spare'}") \
                    if name in ("token", "key") else VALUES[name]
                target = target.replace("{" + name + "}", value)
            elif "enum" in schema:
                query.append(f"{parameter['name']}={schema['enum'][0]}")
            elif schema.get("type") == "integer":
                query.append(f"{parameter['name']}={schema.get('maximum', 1)}")
        body = None
        if "requestBody" in self.operations[key]:
            body = BODIES.get(template, {"name": "walked"})
        return self.call(method, target + ("?" + "&".join(query) if query else ""), who, body)

    def test_each_operation_is_served(self):
        # Deletions last, those of things before those of their owners.
        order = {"GET": 0, "POST": 1, "PUT": 2, "PATCH": 2, "DELETE": 3}
        for key in sorted(self.operations, key=lambda k: (order[k[0]], -len(k[1]), k)):
            with self.subTest(operation=key):
                answer = self.ask(key, "eustace")
                self.assertNotIn(answer.status, (405, 500), answer)
                self.assertNotEqual(answer.body and answer.status == 404 and answer.message,
                                    "Not Found", answer)
                due = {key[0] == "POST": (200, 201, 403), key[0] == "DELETE": (204, 404)}
                self.assertIn(answer.status, due.get(True, (200, 404)), answer)

    def test_without_a_credential_only_the_public_ones_answer(self):
        for key in self.operations:
            with self.subTest(operation=key):
                self.assertEqual(self.ask(key, None).status, 200 if key in PUBLIC else 400)

    def test_which_need_a_credential_is_said(self):
        default = self.document.get("security", [])
        for key, operation in self.operations.items():
            with self.subTest(operation=key):
                self.assertEqual(bool(operation.get("security", default)), key not in PUBLIC)

    def test_the_reference_is_kept(self):
        data = os.environ.get("LATCHKEY_SHARED_DATA", SOURCE / ".." / "shared" / "data")
        path = os.path.join(data, "..", "reference", "bencher-openapi.json")
        if not os.path.exists(path):
            self.skipTest("the reference's document is not here")
        with open(path, encoding="utf-8") as file:
            reference = json.load(file)
        for template, item in reference["paths"].items():
            for method, operation in item.items():
                key = (method.upper(), template)
                with self.subTest(operation=key):
                    self.assertIn(key, self.operations)
                    mine = self.operations[key]
                    self.assertEqual(mine["operationId"], operation["operationId"])
                    due = {(p["name"], p["in"]) for p in operation.get("parameters", [])}
                    have = {(p["name"], p["in"]) for p in self.parameters(key)}
                    self.assertTrue(due <= have, due - have)
                    self.assertEqual("requestBody" in mine, "requestBody" in operation)
        for name, schema in reference["components"]["schemas"].items():
            if schema.get("type") == "object":
                with self.subTest(schema=name):
                    mine = self.document["components"]["schemas"].get(name)
                    self.assertIsNotNone(mine)
                    self.assertTrue(set(schema["properties"]) <= set(mine["properties"]), name)
                    if not name.startswith(("JsonNew", "JsonUpdate")):
                        self.assertTrue(set(schema.get("required", [])) <= set(mine["required"]))


if __name__ == "__main__":
    unittest.main()
