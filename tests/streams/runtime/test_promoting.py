"""An unnamed incident of a running service becomes a keyword of the user's pack, counts, and goes again; by HTTP and from a terminal too."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI

from alerting.model import Control, Incident
from overheard import main
from streams.complaint import Record, Tick
from streams.pipeline import Pipeline, PipelineConfig
from streams.promotion import PromotionError, promoted
from streams.runtime.embedded import Service
from streams.runtime.entries import RECORD, TICK, Entry
from streams.runtime.http_intake import router
from streams.runtime.kafka import topics, wire
from streams.runtime.kafka.memory_service import MemoryService
from streams.runtime.own_pack import OwnPack, as_change, replay_command
from streams.runtime.settings import load_settings
from streams.runtime.store.migrations import open_store
from streams.runtime.store.reader import Reader
from tests.streams.runtime.living import hear, live, until

MONDAY = 1_704_672_000.0
BURST = MONDAY + 4 * 86_400
PACK = '# ours\n[pack]\nname = "own"\ntitle = "Own"\n\n[[keywords]]\nid = "delay"\nname = "delays"\nphrases = ["delayed again"]\n'
CONFIG = (
    'pack = "own.toml"\n[service]\nport = 9\nidle_tick_seconds = 0\nmin_free_megabytes = 0\nsnapshot_seconds = 600\n'
)
AROUND = ("the {} at the gate", "again {} help", "every {} here", "hey {} why", "gate {} ugh", "my {} now")


def said(number: int, at: float, text: str) -> Entry:
    body = {"id": f"n{number}", "source": "twitter:x", "created_at": at, "text": text, "place": "airport:LHR", "author": f"a{number}"}  # fmt: skip
    return Entry(RECORD, json.dumps(body).encode(), at)


def tick(at: float) -> Entry:
    return Entry(TICK, msgspec.msgpack.encode((at, False)), at)


def running(folder: Path, test: Callable[[Service], Awaitable[None]]) -> None:
    live(Service(load_settings(folder / "overheard.toml", {})), test)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that learnt four days, and then heard six people at Heathrow say what its pack does not know; it has stopped."""
    folder = tmp_path_factory.mktemp("promoting")
    (folder / "own.toml").write_text(PACK)
    (folder / "overheard.toml").write_text(CONFIG)

    async def learn(built: Service) -> None:
        usual = [said(n, MONDAY + 600.0 * n, f"delayed again at desk {n % 7}") for n in range(576)]
        words = [one.format("kiosk frozen") for one in AROUND]
        await hear(built, [*usual, *(said(1000 + n, BURST + 100 * n, text) for n, text in enumerate(words))])
        await hear(built, [tick(BURST + 900)])

    running(folder, learn)
    return folder


@pytest.fixture
def folder(heard: Path, tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(heard, tmp_path / "copy"))


def unnamed(reader: Reader) -> Incident:
    (found,) = [one for one in reader.incidents() if "unnamed" in one.marks]
    return found


def reader_of(folder: Path) -> Reader:
    return Reader(open_store(load_settings(folder / "overheard.toml", {}).service.store_url))


def act(kind: Any, **fields: Any) -> Control:
    return Control(**{"id": f"{kind}1", "kind": kind, "at": BURST + 900, "author": "anna", **fields})


def promotion(incident: str, keyword: str = "kiosk-frozen", **fields: Any) -> Control:
    named = {
        "incident": incident,
        "keywords": (keyword,),
        "label": "kiosk frozen",
        "value": "kiosk frozen\nfrozen kiosk",
    }
    return act("promote", **{**named, **fields})


def counted(built: Service, keyword: str, since: float) -> int:
    return sum(cell.voices for cell in built.reader.series("airport:LHR", keyword, since, since + 86_400))


def test_the_words_count_as_a_keyword_until_the_promotion_is_undone(folder: Path) -> None:
    file = folder / "own.toml"

    def knows(built: Service) -> bool:
        return any(one.id == "kiosk-frozen" for one in built.pipeline.pack.keywords)

    async def play(built: Service) -> None:
        before = unnamed(built.reader)
        assert before.marks == ("unnamed",)
        assert before.terms[0][0] == "kiosk frozen"
        learnt = built.pipeline.detect.bank_size
        await built.append_control(promotion(before.id))
        await until(lambda: knows(built))
        with pytest.raises(PromotionError, match="promoted to 'kiosk-frozen' already"):
            await built.append_control(promotion(before.id, "other", id="promote2"))
        again = BURST + 1200
        await hear(
            built, [*(said(2000 + n, again + n, f"frozen kiosk {n} again") for n in range(4)), tick(again + 600)]
        )
        assert counted(built, "kiosk-frozen", again) == 4
        assert built.pipeline.detect.bank_size > learnt  # what was known stays
        assert built.pipeline.keywords.index("kiosk-frozen") in built.pipeline.detect.young
        assert unnamed(built.reader).promoted_to == "kiosk-frozen"
        assert [one.reason for one in built.reader.incident(before.id)].count("promote") == 1

        await built.append_control(act("undo", incident=before.id, value="promote1", at=again + 600))
        assert file.read_text() == PACK
        await until(lambda: not knows(built))
        await built.append_control(act("undo", id="undo2", incident=before.id, value="promote1", at=again + 600))
        later = BURST + 3600
        await hear(
            built, [*(said(3000 + n, later + n, f"frozen kiosk {n} later") for n in range(4)), tick(later + 600)]
        )
        assert counted(built, "kiosk-frozen", later) == 0
        assert unnamed(built.reader).promoted_to is None
        kinds = [one.kind for one in built.reader.controls() if one.author == "anna"]
        assert sorted(kinds) == ["promote", "undo", "undo"]

    running(folder, play)
    assert file.read_bytes() == PACK.encode()


def test_what_cannot_be_kept_leaves_the_file_as_it_was(folder: Path) -> None:
    async def play(built: Service) -> None:
        incident = unnamed(built.reader).id

        async def full(entries: Sequence[Entry]) -> int:
            raise OSError(28, "No space left on device")

        kept, built.journal.append = built.journal.append, full  # type: ignore[method-assign,assignment]
        with pytest.raises(OSError, match="No space"):
            await built.append_control(promotion(incident))
        built.journal.append = kept  # type: ignore[method-assign]
        assert (folder / "own.toml").read_text() == PACK
        await built.append_control(promotion(incident))
        assert "kiosk-frozen" in (folder / "own.toml").read_text()

    running(folder, play)


def test_an_act_that_cannot_be_is_answered_over_http_with_the_reason(folder: Path) -> None:
    async def play(built: Service) -> None:
        app = FastAPI()
        app.include_router(router(built))
        incident = unnamed(built.reader).id
        given = {"kind": "promote", "author": "anna", "incident": incident, "label": "kiosk", "value": "kiosk frozen"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            for changed, reason in (
                ({"keywords": ["delay"]}, "'delay' is in"),
                ({"keywords": ["no slug"]}, "not a path of slugs"),
                ({"keywords": ["kiosk"], "incident": "nope"}, "no incident 'nope'"),
                ({"keywords": []}, "keywords: the id of the new keyword"),
            ):
                answer = await client.post("/controls", json=given | changed)
                assert answer.status_code == 422
                assert reason in answer.json()["detail"]
                assert (folder / "own.toml").read_text() == PACK
            assert (await client.post("/controls", json=given | {"keywords": ["kiosk"]})).status_code == 202
        assert 'id = "kiosk"' in (folder / "own.toml").read_text()

    running(folder, play)


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(folder / "overheard.toml"), "--author", "anna"])


def test_from_a_terminal_while_nothing_runs_it_counts_at_the_next_start(folder: Path) -> None:
    incident = unnamed(reader_of(folder)).id
    made = run(
        folder, "incidents", "promote", incident, "--as", "kiosk", "--phrase", 'a "frozen" kiosk', "--label", "kiosks"
    )
    assert made.exit_code == 0, made.output
    store = f"sqlite:///{folder / 'var' / 'store.sqlite'}"
    command = f"overheard replay --store {store} --pack {folder / 'own.toml'} --out replay-kiosk"
    assert f"The past with it: {command}" in made.output
    text = (folder / "own.toml").read_text()
    assert text.startswith(PACK)
    assert 'phrases = [\n  "a \\"frozen\\" kiosk",\n]' in text
    twice = run(folder, "incidents", "promote", incident, "--as", "kiosk")
    assert twice.exit_code == 1
    assert "'kiosk' is in" in twice.output

    async def play(built: Service) -> None:
        await until(lambda: built.reader.controls(incident))
        await until(lambda: any(one.id == "kiosk" for one in built.pipeline.pack.keywords))

    running(folder, play)
    done = reader_of(folder).controls(incident)[0]
    assert (done.kind, done.keywords, done.label, done.via) == ("promote", ("kiosk",), "kiosks", "cli")
    assert run(folder, "undo", done.id).exit_code == 0
    assert (folder / "own.toml").read_text() == PACK


def test_a_shipped_pack_is_never_changed_and_the_way_to_an_own_one_is_told(heard: Path) -> None:
    own = OwnPack("power", lambda: reader_of(heard))

    async def promote() -> None:
        async with own.changed(promotion(unnamed(reader_of(heard)).id)):
            raise AssertionError

    with pytest.raises(
        PromotionError, match=r"Make it yours: cp .*power\.toml my-power\.toml, put pack = \"my-power\.toml\" into"
    ):
        asyncio.run(promote())


def test_what_somebody_writes_meanwhile_is_not_written_over(folder: Path) -> None:
    file, mine = folder / "own.toml", PACK.replace("delayed again", "so late")
    own = OwnPack(str(file), lambda: reader_of(folder))
    incident = unnamed(reader_of(folder)).id

    def reads(pack: object) -> None:  # asked between reading and writing
        file.write_text(mine)

    async def promote(through: OwnPack) -> None:
        async with through.changed(promotion(incident)):
            pass

    with pytest.raises(PromotionError, match="changed by somebody just now"):
        asyncio.run(promote(OwnPack(str(file), lambda: reader_of(folder), reads)))
    assert file.read_text() == mine
    asyncio.run(promote(own))
    assert file.read_text().startswith(mine)
    assert sorted(one.name for one in folder.iterdir()) == ["overheard.toml", "own.toml", "var"]


def test_the_command_that_replays_says_what_the_configuration_says(tmp_path: Path) -> None:
    kafka = 'pack = "own.toml"\n[kafka]\nbrokers = ["127.0.0.1:9092"]\n[service]\nbudget_per_week = 1.0\n'
    (tmp_path / "k.toml").write_text(kafka)
    told = replay_command(load_settings(tmp_path / "k.toml", {}), "kiosks/frozen", tmp_path / "k.toml")
    assert told == (
        f"overheard replay kafka://overheard.complaints --config {tmp_path / 'k.toml'} --pack {tmp_path / 'own.toml'} "
        "--budget 1 --out replay-kiosks-frozen"
    )


def test_a_replay_with_the_acts_of_the_log_gives_the_incidents_that_were_told(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(PACK)
    usual = [said(n, MONDAY + 600.0 * n, f"delayed again at desk {n % 7}") for n in range(576)]
    words = [said(1000 + n, BURST + 100 * n, one.format("kiosk frozen")) for n, one in enumerate(AROUND)]
    later = [said(2000 + n, BURST + 1200 + n, f"frozen kiosk {n} again") for n in range(9)]
    live = Pipeline(PipelineConfig(pack=str(tmp_path / "own.toml")))
    records = [Record(n, one.payload, None, "log") for n, one in enumerate([*usual, *words, *later])]
    told = live.process(0, records[:-9]).incidents
    told += live.process(0, [Tick(0, BURST + 660)]).incidents
    act = promotion(told[-1].id, at=BURST + 900)
    acts = [as_change(act, promoted(PACK, act, "own.toml")), act]
    for one in acts:
        live.control(one)
    told += live.process(0, [*records[-9:], Tick(0, BURST + 1200 + 120)]).incidents
    (tmp_path / "heard.jsonl").write_bytes(b"\n".join(one.value for one in records))
    (tmp_path / "acts.jsonl").write_bytes(b"\n".join(msgspec.json.encode(one) for one in acts))
    done = CliRunner().invoke(
        main,
        ["replay", str(tmp_path / "heard.jsonl"), "--pack", str(tmp_path / "own.toml"),
         "--controls", str(tmp_path / "acts.jsonl"), "--out", str(tmp_path / "out")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    replayed = [json.loads(line) for line in (tmp_path / "out" / "incidents.jsonl").read_text().splitlines()]
    told.sort(key=lambda one: (one.updated_at, one.id, one.revision))
    assert replayed == [json.loads(json.dumps(one.to_json())) for one in told]
    assert [one["promoted_to"] for one in replayed if one["reason"] == "promote"] == ["kiosk-frozen"]
    assert ["kiosk-frozen"] in [one["keywords"] for one in replayed]


def test_on_kafka_the_workers_hear_of_the_keyword_by_the_log(folder: Path) -> None:
    settings = load_settings(folder / "overheard.toml", {})
    built = MemoryService(settings, partitions=1)
    incident = unnamed(built.reader).id

    async def play() -> list[str]:
        await built.append_control(promotion(incident))
        await built.append_control(act("undo", incident=incident, value="promote1"))
        name = topics.PARTS.full(built.kafka.prefix)
        return [wire.read_parts_entry(one.value).control.kind for one in await built.broker.read(name, 0, 0, 9)]

    assert asyncio.run(play()) == ["pack", "promote", "pack", "undo"]
    assert (folder / "own.toml").read_text() == PACK
