"""The page about the topics says what the code does, and its examples are what it says."""

from __future__ import annotations

import jsonschema
import pytest
from published import PAGE, published, without_examples

from streams.runtime import topic_docs
from streams.runtime.kafka.topics import TOPICS
from streams.runtime.kafka.wire import RECORDS

KINDS = [kind.__name__ for kinds in RECORDS.values() for kind in kinds]


def test_the_page_is_up_to_date() -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert without_examples(told) == without_examples(topic_docs.page()), "run `make docs`"
    assert all(f"## {topic.full('overheard')}\n" in told for topic in TOPICS)


@pytest.mark.parametrize("name", KINDS)
def test_every_record_has_a_schema_and_an_example_that_keeps_to_it(name: str) -> None:
    example, schema = published()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(example)
    fields = schema["$defs"][name]["properties"]
    assert example.keys() <= fields.keys()
    assert set(schema["$defs"][name]["required"]) <= example.keys()
