"""Settings come from a file and the environment; every error is told at once, with its key, and no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.runtime.section import SettingsError
from streams.runtime.settings import load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "overheard.toml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(folder, text), environ or {})
    return caught.value.problems


def test_an_empty_file_gives_a_service_on_loopback_beside_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""), {})
    assert settings.service.loopback
    assert settings.service.data == tmp_path / "var"
    assert settings.service.store_url == f"sqlite:///{tmp_path / 'var' / 'store.sqlite'}"


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "pack = 'power'\n[service]\nport = 1\n")
    environ = {
        "OVERHEARD_SERVICE_PORT": "2",
        "OVERHEARD_PACK": "airline",
        "OVERHEARD_SERVICE_TOKEN": "x" * 16,
        "OTHER": "1",
    }
    settings = load_settings(path, environ)
    assert (settings.service.port, settings.pack, settings.service.read_token()) == (2, "airline", "x" * 16)
    assert "x" * 16 not in repr(settings)


def test_every_error_is_told_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
        baselines = "nowhere.bin"
        pakc = "power"
        [service]
        port = 99999
        timezone = "Mars/Olympus"
        budget_per_week = 0
        [[sources]]
        kind = "file"
        name = "a"
        [[sources]]
        kind = "ftp"
        name = "b"
        channel = "smoke"
    """
    told = problems(tmp_path, text)
    for key in (
        "pakc",
        "service.port",
        "service.timezone",
        "service.budget_per_week",
        "sources.0",
        "sources.1.kind",
        "sources.1.channel",
    ):
        assert any(line.startswith(f"{key}:") for line in told), (key, told)


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    told = problems(tmp_path, "[service]\ntoken = 'hunter2hunter2hunter2'\nport = 'x'\n")
    assert any("OVERHEARD_SERVICE_TOKEN" in line for line in told)
    assert any(line.startswith("service.port") for line in told)
    assert "hunter2" not in " ".join(told)


def test_what_others_can_reach_needs_a_token_of_some_length(tmp_path: Path) -> None:
    assert "0.0.0.0" in problems(tmp_path, "[service]\nhost = '0.0.0.0'\n")[0]
    (tmp_path / "token").write_text("short\n")
    assert "shorter" in problems(tmp_path, "[service]\nhost = '0.0.0.0'\ntoken_file = 'token'\n")[0]
    (tmp_path / "token").write_text("0123456789abcdef\n")
    settings = load_settings(write(tmp_path, "[service]\nhost = '0.0.0.0'\ntoken_file = 'token'\n"), {})
    assert settings.service.read_token() == "0123456789abcdef"


@pytest.mark.parametrize("text", ["[service", "pack = 'power'\nservice = 3\n", "\x00"])
def test_a_file_that_is_not_a_configuration_is_told(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_a_source_named_twice_is_refused(tmp_path: Path) -> None:
    assert "twice" in problems(tmp_path, "[[sources]]\nkind='http'\nname='a'\n" * 2)[0]
