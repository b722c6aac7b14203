"""Every schema in Python's jsonschema, with the check of the schema itself, and real files under it."""

import json
import pathlib
import sys

import jsonschema
import yaml

work = pathlib.Path(sys.argv[1])


class Loader(yaml.SafeLoader):
    """YAML 1.2 as far as it matters here: `off` is a word, and a day is one too."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(true|false)$"), list("tf"))


def read(path):
    text = path.read_text()
    return yaml.load(text, Loader) if path.suffix == ".yaml" else json.loads(text)


real = work / "real"
files = {
    "config": map(read, pathlib.Path("rules/profiles").glob("*.yaml")),
    "report": map(read, [real / "report.json", real / "report-policy.json"]),
    "report-line": map(json.loads, (real / "lines.jsonl").read_text().splitlines()),
    "rules": map(read, pathlib.Path("rules").glob("*.yaml")),
    "snapshot": map(read, pathlib.Path("fixtures").glob("*/snapshot.yaml")),
}
checked = 0
for kind, documents in files.items():
    schema = read(work / "schema" / f"{kind}.json")
    validator = jsonschema.validators.validator_for(schema)
    assert validator is jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for document in documents:
        checked += 1
        errors = [f"{error.json_path}: {error.message[:200]}" for error in validator(schema).iter_errors(document)]
        assert not errors, (kind, errors[:3])
        assert not validator(schema).is_valid([document]), kind
print(f"jsonschema: {len(files)} schemas, {checked} documents")
