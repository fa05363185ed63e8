"""The OpenAPI document as a judge: is this a reply that the document promises for this operation?

OpenAPI 3.0 schemas are JSON Schema of draft 4 but for `nullable`, which is rewritten here.
"""

import re
import urllib.parse

import jsonschema

REFERENCE = "#/components/schemas/"


def converted(node):
    """The same schema with `nullable` said in JSON Schema's own words."""
    if isinstance(node, list):
        return [converted(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: converted(value) for key, value in node.items()}
    if node.pop("nullable", None) is True:
        return {"anyOf": [node, {"type": "null"}]}
    return node


class Document:
    def __init__(self, document):
        self.document = document
        self.components = {"schemas": converted(document["components"]["schemas"])}
        self.operations = {
            (method.upper(), template): operation
            for template, item in document["paths"].items() for method, operation in item.items()
            if method in ("get", "put", "post", "patch", "delete")}
        self._templates = sorted({template for _, template in self.operations},
                                 key=lambda template: template.count("{"))
        self._patterns = {
            template: re.compile(re.sub(r"\\{\w+\\}|{\w+}", "[^/]+", template) + r"\Z")
            for template in self._templates}
        self._validators = {}

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def template_of(self, path):
        """The path template that a raw path (no query) belongs to, or None."""
        # Split first, then decoded, as the host does: an encoded slash parts nothing.
        parts = [urllib.parse.unquote(part).replace("/", "%2F") for part in path.split("/")]
        path = "/" + "/".join(part for part in parts if part)
        for template in self._templates:
            if self._patterns[template].match(path):
                return template
        return None

    def validator(self, schema):
        return jsonschema.Draft4Validator(
            {"allOf": [converted(schema)], "components": self.components},
            format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)

    def response_of(self, operation, status):
        """What the document says of that answer, or None."""
        responses = operation["responses"]
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in responses:
                return self.resolve(responses[key])
        return None

    def complaints(self, method, path, status, value):
        """Why the answer is not one that the document promises. `value` is the parsed body; it is
        ... (Ellipsis) when there is none."""
        template = self.template_of(path)
        method = "GET" if method == "HEAD" else method
        if (method, template) not in self.operations:
            # No operation: only the routes' own answers are left.
            if status not in (400, 404, 405, 413, 414, 431, 503):
                return [f"{method} {path} is no operation, and answers {status}"]
            schema = {"$ref": REFERENCE + "Error"}
        else:
            response = self.response_of(self.operations[method, template], status)
            if response is None:
                return [f"the document does not know {status} of {method} {template}"]
            content = response.get("content")
            if content is None:
                return [] if value is ... else [f"a body, and the document has none for {status}"]
            if value is ...:
                return []
            schema = content["application/json"].get("schema", {})
        if value is ...:
            return []
        key = (method, template, status)
        if key not in self._validators:
            self._validators[key] = self.validator(schema)
        return [f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}"
                for error in self._validators[key].iter_errors(value)]
