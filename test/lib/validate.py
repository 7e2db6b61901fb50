#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# validate.py SCHEMA [POINTER]: whether stdin is JSON (each line of it, where the schema is of an object) that fits the
# schema, or the part of it that the pointer names. A line for each fault; exit 1 if there is one.
import json
import sys

import jsonschema


def documents(text, schema):
    if schema.get("type") == "object":
        return [line for line in text.split("\n") if line]
    return [text]


def refuse_constant(word):
    raise ValueError(f"{word} is no JSON")


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice: {keys}")
    return dict(pairs)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    if len(sys.argv) > 2:
        schema = {"$defs": schema["$defs"], **schema["$defs"][sys.argv[2]]}
    faults = 0
    found = documents(sys.stdin.buffer.read().decode("utf-8"), schema)
    for text in found:
        try:
            value = json.loads(text, parse_constant=refuse_constant, object_pairs_hook=unique)
            jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
        except (ValueError, jsonschema.ValidationError) as error:
            print(str(error).split("\n")[0])
            faults += 1
    if not found:
        print("nothing to validate")
    sys.exit(1 if faults or not found else 0)


main()
