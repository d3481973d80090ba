"""Records go to the partitions Kafka would send them to."""

import json

import pytest

from streams.runtime.routing import Router, key_of, murmur2


@pytest.mark.parametrize(
    ("key", "hashed"),  # values of Kafka's own tests of its clients
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(key, hashed):
    assert murmur2(key) == hashed & 0xFFFFFFFF


def test_an_author_stays_in_one_partition_and_a_redelivered_id_too():
    router = Router(7)
    written = {router.partition(json.dumps({"id": str(i), "source": "s", "author": "ann"}).encode()) for i in range(50)}
    assert len(written) == 1
    spread = {router.partition(json.dumps({"id": str(i), "source": "s"}).encode()) for i in range(200)}
    assert spread == set(range(7))


def test_the_key_is_source_and_author_else_source_and_id():
    assert key_of(b'{"id":"1","source":"s","author":"ann"}') == b"s\0ann"
    assert key_of(b'{"id":"1","source":"s","author":null}') == b"s\x001"
    assert key_of(b"{broken") is None
