"""A pack becomes a tree and one scan; what is wrong with a pack is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerting.model import KeywordTree
from streams.pack import MAX_NODES
from streams.taxonomy import PackError, Taxonomy, load_pack, parse_pack
from streams.text import fold, normalise

PACK = """
[pack]
name = "mini"
title = "Mini"
window_seconds = 300

[[subjects]]
id = "southwest"
name = "Southwest"
phrases = ["southwest", "Southwest Air"]
sources = ["feed/SW"]

[[subjects]]
id = "virgin-america"
name = "Virgin America"
phrases = ["virgin america"]

[[keywords]]
id = "delay"
name = "delay"
team = "operations"
runbook_url = "https://runbooks.example/delay"
first_question = "Which flights?"
unless = ["kudos"]

[[keywords]]
id = "delay/late"
name = "late flight"
phrases = ["delayed", "hours late", "stuck in"]
unless = ["not delayed"]

[[keywords]]
id = "delay/missed"
name = "missed connection"
team = "customer care"
phrases = ["missed connection"]

[[keywords]]
id = "bags"
name = "lost bags"
phrases = ["bag", "Größe falsch"]
needs = ["lost", "where"]
"""
NAMES = [
    ("new york", 1),
    ("new york city", 2),
    ("york", 3),
    ("america", 4),
    ("boston", 5),
    ("southwest", 6),
    ("lost", 7),
]


@pytest.fixture
def taxonomy() -> Taxonomy:
    return Taxonomy(parse_pack(PACK, "mini.toml"), NAMES)


def found(taxonomy: Taxonomy, text: str) -> set[str]:
    return {taxonomy.id(node) for node in taxonomy.match(normalise(text))}


def places(taxonomy: Taxonomy, text: str) -> list[int]:
    return taxonomy.places_in(fold(text), normalise(text))


def counted(taxonomy: Taxonomy, text: str, source: str = "") -> list[str]:
    return [taxonomy.id(node) for node in taxonomy.closure(taxonomy.match(normalise(text)), source)]


def test_phrases_match_whole_words_in_any_case_and_spelling_of_marks(taxonomy: Taxonomy) -> None:
    assert found(taxonomy, "DELAYED!!") == {"delay/late"}
    assert found(taxonomy, "undelayed delayedly") == set()
    assert found(taxonomy, "3 hours late") == {"delay/late"}
    assert found(taxonomy, "late hours") == set()
    assert found(taxonomy, "where? grosse falsch") == {"bags"}


def test_hashtags_are_heard(taxonomy: Taxonomy) -> None:
    assert found(taxonomy, "#MissedConnection #hoursLate") == {"delay/missed", "delay/late"}


def test_unless_and_needs_decide(taxonomy: Taxonomy) -> None:
    assert found(taxonomy, "we are not delayed") == set()
    assert found(taxonomy, "not delayed, but a missed connection") == {"delay/missed"}
    assert found(taxonomy, "kudos, delayed, missed connection") == set()
    assert found(taxonomy, "a bag") == set()
    assert found(taxonomy, "where is my bag") == {"bags"}


def test_subjects_count_with_top_level_keywords(taxonomy: Taxonomy) -> None:
    assert found(taxonomy, "hello @SouthwestAir") == set()
    assert counted(taxonomy, "@SouthwestAir delayed") == ["*", "delay", "delay/late", "southwest", "southwest/delay"]
    assert counted(taxonomy, "delayed", "feed/SW") == ["*", "delay", "delay/late", "southwest", "southwest/delay"]
    assert counted(taxonomy, "delayed") == ["*", "delay", "delay/late"]
    assert counted(taxonomy, "lovely day") == []
    assert set(counted(taxonomy, "virgin america southwest lost bag, delayed")) == {
        "*", "delay", "delay/late", "bags", "southwest", "southwest/delay", "southwest/bags",
        "virgin-america", "virgin-america/delay", "virgin-america/bags",
    }  # fmt: skip


def test_a_source_about_one_subject_decides_it(taxonomy: Taxonomy) -> None:
    assert "virgin-america" not in counted(taxonomy, "delayed, next time virgin america", "feed/SW")


def test_the_longest_place_name_wins(taxonomy: Taxonomy) -> None:
    assert places(taxonomy, "stuck in New York City, then Boston") == [2, 5]
    assert places(taxonomy, "stuck in new york new york") == [1, 1]
    assert places(taxonomy, "york") == [3]
    assert places(taxonomy, "yorkshire") == []


def test_a_name_inside_a_subject_or_keyword_is_no_place(taxonomy: Taxonomy) -> None:
    assert places(taxonomy, "virgin america delayed") == []
    assert places(taxonomy, "america, virgin america delayed") == [4]
    assert places(taxonomy, "southwest delayed in boston") == [5]


def test_a_name_may_be_a_condition_too(taxonomy: Taxonomy) -> None:
    assert (found(taxonomy, "my bag is lost"), places(taxonomy, "my bag is lost")) == ({"bags"}, [7])


def test_sayings_are_heard_under_their_leaf(taxonomy: Taxonomy) -> None:
    assert taxonomy.sayings()[taxonomy.index("bags")] == ("bag lost", "Größe falsch lost")
    for leaf, sayings in Taxonomy(load_pack("airline")).sayings().items():
        assert sayings, leaf


def test_the_tree_is_a_keyword_tree(taxonomy: Taxonomy) -> None:
    tree: KeywordTree = taxonomy
    ids = [tree.id(node) for node in range(len(taxonomy))]
    assert ids[0] == "*"
    assert len(set(ids)) == len(ids) == 1 + 4 + 2 * 3
    assert tree.parent[0] == -1
    for node in range(1, len(ids)):
        expected = ids[node].rpartition("/")[0] or "*"
        assert ids[tree.parent[node]] == expected
        assert taxonomy.level[node] == taxonomy.level[tree.parent[node]] + 1
    crossed = taxonomy.index("southwest/delay")
    assert tree.name(crossed) == "Southwest delay"
    assert (tree.team(crossed), tree.first_question(crossed)) == ("operations", "Which flights?")
    assert taxonomy.id(taxonomy.top(crossed)) == "delay"
    assert taxonomy.id(taxonomy.top(taxonomy.index("delay/missed"))) == "delay"
    assert tree.team(taxonomy.index("delay/missed")) == "customer care"
    assert tree.team(taxonomy.index("delay/late")) == "operations"
    assert tree.runbook_url(taxonomy.index("delay/late")) == "https://runbooks.example/delay"
    assert tree.team(taxonomy.index("bags")) is None


def test_the_digest_changes_with_the_pack_alone() -> None:
    digest = Taxonomy(parse_pack(PACK, "a")).digest
    assert digest == Taxonomy(parse_pack(PACK, "b")).digest
    assert digest != Taxonomy(parse_pack(PACK.replace("hours late", "hrs late"), "a")).digest


def test_every_error_is_told_at_once_with_file_and_key() -> None:
    broken = """
    colour = "red"
    [pack]
    name = "Not a slug"
    window_seconds = 5
    owner = "me"
    [[subjects]]
    id = "delay"
    name = "Delay"
    phrases = ["delay inc"]
    [[keywords]]
    id = "delay"
    name = "delay"
    phrases = ["late"]
    [[keywords]]
    id = "delay/late"
    name = "late"
    phrases = ["late", "!!"]
    unless = ["LATE"]
    runbook_url = "ftp://x"
    [[keywords]]
    id = "bags/lost"
    name = ""
    phrases = "lost"
    [[keywords]]
    id = "delay/late"
    name = "again"
    phrases = [3]
    """
    with pytest.raises(PackError) as caught:
        parse_pack(broken, "mine.toml")
    told = "\n".join(caught.value.problems)
    assert all(problem.startswith("mine.toml: ") for problem in caught.value.problems)
    for part in (
        "colour: unknown key",
        "pack.name: 'Not a slug'",
        "pack.window_seconds: 5",
        "pack.owner: unknown key",
        "subjects[delay].id: is used",
        "keywords[delay].phrases: only leaves",
        "keywords[delay/late].phrases: '!!'",
        "keywords[delay/late].unless: 'late'",
        "keywords[delay/late].runbook_url",
        "keywords[bags/lost].id: its parent 'bags'",
        "keywords[bags/lost].name: is missing",
        "keywords[bags/lost].phrases: is not a list",
        "keywords[delay/late].id: is used twice",
    ):
        assert part in told


def test_what_is_not_toml_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="not TOML"):
        parse_pack("[pack", "x.toml")
    with pytest.raises(PackError, match=r"shipped are .*airline"):
        load_pack("nowhere")
    with pytest.raises(PackError, match="cannot be read"):
        load_pack(tmp_path / "none.toml")
    (tmp_path / "mini.toml").write_text("\ufeff" + PACK, encoding="utf-8")
    assert load_pack(tmp_path / "mini.toml").window_seconds == 300


def test_more_nodes_than_cells_can_name_are_refused() -> None:
    many = "".join(f'[[subjects]]\nid = "s{n}"\nname = "S"\nphrases = ["s{n}"]\n' for n in range(MAX_NODES // 2))
    with pytest.raises(PackError, match="at most"):
        parse_pack(many + '[[keywords]]\nid = "a"\nname = "a"\nphrases = ["a"]\n[pack]\nname = "many"\n', "many.toml")
