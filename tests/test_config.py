"""Settings: what may be written, where it is found, and what is said of a mistake."""

from __future__ import annotations

import contextlib
import datetime
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.config import keys, template, yaml_lines
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.config.secret import Secret
from lyricsyncd.config.values import hours, seconds
from lyricsyncd.errors import ConfigError

ROOT = Path(__file__).parent.parent


def read(folder: Path, text: str | bytes, **environment: str) -> Config:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, environment)


def complaint(folder: Path, text: str | bytes, **environment: str) -> str:
    """What is said of a wrong file, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environment)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2
    return str(caught.value).replace(f"{folder / 'config.yaml'}, ", "")


# --- where it is found -----------------------------------------------------------------------


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(None, {"HOME": str(tmp_path)}) == Config()


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "{}", "\ufeff# with a mark\n"])
def test_an_empty_file_is_the_defaults(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == Config()


def test_it_is_looked_for_by_name_then_in_the_users_folder(tmp_path: Path) -> None:
    user, named, given_ = tmp_path / "lyricsyncd/config.yaml", tmp_path / "n", tmp_path / "g"
    user.parent.mkdir()
    for path, code in ((user, "uk"), (named, "no"), (given_, "gl")):
        path.write_text(f"language: {code}\n")
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": "/nowhere"}
    assert load(None, environment).language == "uk"
    environment["LYRICSYNCD_CONFIG"] = str(named)
    assert load(None, environment).language == "no"
    assert load(given_, environment).language == "gl"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no configuration .*lyricsyncd init"):
        load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="there is no configuration"):
        load(None, {"LYRICSYNCD_CONFIG": str(tmp_path / "none.yaml")})


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it is a folder"):
        load(tmp_path, {})


# --- what may be written ---------------------------------------------------------------------


def test_every_part_of_it_can_be_set(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
libraries:
  - path: /music
    exclude: ["Audiobooks/**"]
  - path: more
language: no            # Norwegian, not false
output: {preset: navidrome}
quality: {words: 1, lines: 0.25}
lyrics:
  order: [lrclib]
  lrclib: {url: "http://127.0.0.1:8080/", timeout: 250ms}
models: {dir: models, device: "cuda:1", keep_alive: 1h30m}
daemon: {settle: 2, rescan: null, quiet_hours: 22:00-07:00}
""",
    )
    assert [library.path for library in config.libraries] == [Path("/music"), tmp_path / "more"]
    assert config.libraries[0].exclude == ("Audiobooks/**",)
    assert config.language == "no"
    assert config.quality.words == 1.0
    assert config.lyrics.order == ("lrclib",)
    assert config.lyrics.lrclib.url == "http://127.0.0.1:8080"
    assert config.lyrics.lrclib.timeout == 0.25
    assert config.models.dir == tmp_path / "models"
    assert config.models.keep_alive == 5400.0
    assert (config.daemon.settle, config.daemon.rescan) == (2.0, None)
    assert config.daemon.quiet_hours == "22:00-07:00"


def test_the_output_may_be_a_list(tmp_path: Path) -> None:
    config = read(tmp_path, "output: [{format: lrc}, {format: lrc_standard, name: words.lrc}]")
    assert isinstance(config.output, tuple)
    assert [file.format for file in config.output] == ["lrc", "lrc_standard"]
    assert config.output[1].name == "words.lrc"


def test_a_section_whose_keys_are_all_commented_out_is_the_defaults(tmp_path: Path) -> None:
    text = "libraries:\nquality:\n  #words: 0.9\nlyrics:\n  lrclib:\n    #url: x\n"
    assert read(tmp_path, text) == Config()


def test_paths_know_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    config = read(tmp_path, "libraries: [{path: ~/Music}]")
    assert config.libraries[0].path == Path("/home/me/Music")


@given(st.floats(0, 1e6, allow_nan=False))
def test_a_number_of_seconds_is_itself(value: float) -> None:
    assert seconds(value) == value


@pytest.mark.parametrize(
    ("text", "length"),
    [("5s", 5), ("10m", 600), ("1h", 3600), ("1h 30m", 5400), ("0.5s", 0.5), ("2d", 172800)],
)
def test_lengths_of_time_have_units(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("value", ["", "5 apples", "-5s", "s", -1, True, float("inf"), None, "1e9"])
def test_other_things_are_no_lengths_of_time(value: object) -> None:
    with pytest.raises(ValueError, match="such as 5s"):
        seconds(value)


@pytest.mark.parametrize(
    "line", ["0 4 * * *", "*/15 1-5 1,15 * 0,7", "30 2 * jan-mar mon-fri", "0 4 * * sun-tue"]
)
def test_the_rescan_is_a_line_of_a_crontab(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"daemon: {{rescan: '{line}'}}").daemon.rescan == line


@pytest.mark.parametrize(
    "line", ["", "* * * *", "60 * * * *", "0 4 * * 8", "0 4 * * * *", "@daily"]
)
def test_anything_else_is_no_rescan(tmp_path: Path, line: str) -> None:
    assert "expected five fields" in complaint(tmp_path, f"daemon: {{rescan: '{line}'}}")


def test_quiet_hours_are_two_times_of_the_day() -> None:
    assert hours("22:00-7:30") == (datetime.time(22), datetime.time(7, 30))


# --- the environment -------------------------------------------------------------------------


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "language: fr\nlyrics: {order: [local], lrclib: {timeout: 1s}}\noutput: [{format: lrc}]",
        LYRICSYNCD_LYRICS__LRCLIB__URL="http://localhost:1",
        LYRICSYNCD_LYRICS__ORDER="[lrclib, local]",
        LYRICSYNCD_OUTPUT__PRESET="plex",
        LYRICSYNCD_QUALITY__WORDS="0.8",
        LYRICSYNCD_DAEMON__RESCAN="",
        LYRICSYNCD_LIBRARIES="[{path: /music}]",
    )
    assert config.language == "fr"
    assert config.lyrics.lrclib.url == "http://localhost:1"
    assert config.lyrics.lrclib.timeout == 1.0
    assert config.lyrics.order == ("lrclib", "local")
    assert getattr(config.output, "preset", None) == "plex"
    assert config.quality.words == 0.8
    assert config.daemon.rescan is None
    assert config.libraries[0].path == Path("/music")


def test_every_key_has_its_variable() -> None:
    assert keys.variables()["LYRICSYNCD_DAEMON__SETTLE"] == ("daemon", "settle")
    assert keys.variables()["LYRICSYNCD_OUTPUT"] == ("output",)


def test_an_unknown_variable_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path("/dev/null"), {"LYRICSYNCD_LYRICS__LRCLIB__ULR": "x"})
    assert "LYRICSYNCD_LYRICS__LRCLIB__ULR is not a setting" in str(caught.value)
    assert "Did you mean 'LYRICSYNCD_LYRICS__LRCLIB__URL'?" in str(caught.value)


def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_setting() -> None:
    names = "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8786_TCP_ADDR"
    assert load(Path("/dev/null"), {f"LYRICSYNCD_{n}": "tcp://10.0.0.1:8786" for n in names})


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path("/dev/null"), {"LYRICSYNCD_QUALITY__WORDS": "high"})
    assert str(caught.value).startswith("LYRICSYNCD_QUALITY__WORDS: quality.words: expected a num")


# --- secrets ---------------------------------------------------------------------------------


def test_a_secret_is_shown_nowhere(tmp_path: Path) -> None:
    config = read(tmp_path, "identify: {acoustid_key: hush}")
    assert config.identify.acoustid_key == "hush"
    assert "hush" not in f"{config} {config!r} {config.model_dump()}"
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    "text",
    [
        "identify: {acoustid_key: [hush]}",
        "identify: {acoustid_key: {fiel: hush}}",
        "identify: hush",
        "identify: {acoustid_key: 'hush",
        "identify: {acoustid_key: hush, acoustid_key: hush}",
        "identify: {acoustid_key: !hush}",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, text: str) -> None:
    shown = complaint(tmp_path, text)
    assert "hush" not in shown.replace("'!hush'", "").replace("not 'hush'", "")


def test_a_secret_may_lie_in_a_file_which_is_read_late(tmp_path: Path) -> None:
    config = read(tmp_path, "identify: {acoustid_key: {file: key}}")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        config.identify.acoustid_key  # noqa: B018 - it is read at this moment
    (tmp_path / "key").write_text("  hush\n")
    assert config.identify.acoustid_key == "hush"
    (tmp_path / "key").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        config.identify.acoustid_key  # noqa: B018


def test_the_key_may_come_from_the_variable_of_other_tools(tmp_path: Path) -> None:
    given_ = {"ACOUSTID_API_KEY": "[hush"}
    assert load(Path("/dev/null"), given_).identify.acoustid_secret == Secret("[hush")
    own = {**given_, "LYRICSYNCD_IDENTIFY__ACOUSTID_KEY": f"{{file: {tmp_path}/key}}"}
    secret = load(Path("/dev/null"), own).identify.acoustid_secret
    assert secret == Secret(file=tmp_path / "key")


def test_the_token_of_genius_may_come_from_its_usual_variable() -> None:
    config = load(Path("/dev/null"), {"GENIUS_TOKEN": "hush"})
    assert config.lyrics.genius.token == "hush"
    assert "hush" not in f"{config} {config!r} {config.model_dump()}"


def test_paid_services_are_asked_only_when_they_are_named() -> None:
    assert "musixmatch" not in Config().lyrics.syncedlyrics.providers
    assert not Config().lyrics.publish


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("language: en\nqualty: {}", "line 2: there is no key 'qualty'. Did you mean 'quality'?"),
        (
            "lyrics:\n  lrclib:\n    ulr: x\n",
            "line 3: there is no key 'ulr' in lyrics.lrclib. Did you mean 'url'?",
        ),
        (
            "libraries:\n- path: /a\n- path: /b\n  exlude: []\n",
            "line 4: there is no key 'exlude' in libraries[1]. Did you mean 'exclude'?",
        ),
        (
            "zzz: {path: x}",
            "line 1: there is no key 'zzz'. `lyricsyncd init --dry-run` shows",
        ),
        (
            "quality:\n  words: high\n",
            "line 2: quality.words: expected a number, not 'high'. Correct it",
        ),
        ("quality: {words: 7}", "line 1: quality.words: expected at most 1, not 7."),
        ("quality: {words: true}", "line 1: quality.words: expected a number, not true."),
        ("quality: {lines: .nan}", "line 1: quality.lines: expected at "),
        (
            "\nquality: {lines: 0.9}",
            "line 2: quality: lines (0.9) must not be above words (0.7).",
        ),
        ("output: {preset: plexx}", "not 'plexx'. Did you mean 'plex'?"),
        ("output: plex", "line 1: output: expected {preset: NAME} or a list of {format, to, name}"),
        ("output: []", "line 1: output: expected at least one item"),
        ("output: [{to: tag}]", "line 1: output[0] needs the key 'format'."),
        ("output:\n- format: lrx\n", "line 2: output[0].format: expected one of "),
        ("output: [{format: lrc, name: ../x}]", "output[0].name: expected the name of a file"),
        ("language: 5", "line 1: language: expected text, not 5. Put it in quotes"),
        ("language: english", "line 1: language: expected auto or the code of a language"),
        ("libraries: /music", "line 1: libraries: expected a list, such as [a, b], not '/music'."),
        ("libraries: [/music]", "line 1: libraries[0]: expected keys with values, not '/music'."),
        ("libraries: [{path: ''}]", "line 1: libraries[0].path: expected a path, not ''."),
        ("lyrics: {order: [lrclb]}", "Did you mean 'lrclib'?"),
        ("models: {aligner: sphynx}", "models.aligner: expected one of auto, sphinx, "),
        ("models: {separator: spletter}", "Did you mean 'spleeter'?"),
        ("models: {transcriber: wisper}", "Did you mean 'whisper'?"),
        ("lyrics: {lrclib: {url: lrclib.net}}", "expected an address such as https://lrclib.net"),
        ("lyrics: {lrclib: {timeout: 0}}", "lyrics.lrclib.timeout: expected more than 0"),
        ("models: {device: gpu}", "models.device: expected auto, cpu, cuda or cuda:N, not 'gpu'."),
        ("daemon: {settle: soon}", "daemon.settle: expected a length of time such as 5s, 10m"),
        ("daemon: {rescan: '0 4 * * fri-mon'}", "daemon.rescan: expected five fields"),
        ("daemon: {rescan: daily}", "daemon.rescan: expected five fields as in a crontab"),
        ("daemon: {quiet_hours: night}", "daemon.quiet_hours: expected two times of the day"),
        ("daemon: {quiet_hours: 24:00-07:00}", "expected times from 00:00 to 23:59"),
        ("profile: huge", "line 1: profile: expected 'auto', 'lite' or 'full', not 'huge'."),
        ("- libraries", "line 1: expected keys with values, such as `language: en`."),
    ],
)
def test_a_wrong_value_is_reported_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"language: en\nquality:\n\twords: 1\n", "line 3: there is a tab, where YAML wants sp"),
        (b"a: b: c", "line 1: mapping values are not allowed here"),
        (b"language: en\n\nlanguage: fr\n", "line 3: the key 'language' stands twice, first on l"),
        (b"language: en\nprofile: \xff\n", "line 2: this is not UTF-8 text"),
        (b"language: en\nprofile: \x07\n", "line 2: there is a control character"),
        (b"libraries: [\n", "line 2: "),
        (b"language: !!python/object:os.system x", "the tag 'tag:yaml.org,2002:python/object:os."),
        (b"language: 2020-01-01\n---\nx: 1", "line 2: "),
        (b"libraries: &a [*a]", "line 1: this holds itself"),
        (b"? [a]\n: b", "line 1: a key must be a word"),
        (b"[" * 5000, "line 1: "),
        (b"#" * (1 << 21), "is too large for a configuration"),
    ],
)
def test_broken_yaml_is_reported_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    assert said in complaint(tmp_path, text)


def test_of_several_mistakes_the_first_is_reported_and_the_others_counted(tmp_path: Path) -> None:
    said = complaint(tmp_path, "daemon: {settle: x}\nquality: {words: x}\nlanguage: 1\n")
    assert said.startswith("line 1: daemon.settle: ")
    assert "(and 2 more)" in said


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_a_complaint(content: bytes) -> None:
    with contextlib.suppress(yaml_lines.YamlError):
        yaml_lines.parse(content)


TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=150)
"""YAML takes no key of more than 1,024 characters; JSON writes some of these as six."""
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_json_is_read_as_what_it_is(data: Any) -> None:
    assert yaml_lines.parse(json.dumps(data).encode()).data == data


@given(st.dictionaries(st.sampled_from(sorted(keys.variables())), st.text(max_size=12)))
def test_any_environment_is_settings_or_a_complaint(environment: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        load(Path("/dev/null"), environment)


# --- the example -----------------------------------------------------------------------------


def test_the_example_is_the_model() -> None:
    assert (ROOT / "config.example.yaml").read_text() == template.example()


def test_the_example_is_exactly_the_defaults() -> None:
    assert load(ROOT / "config.example.yaml", {}) == Config()


def test_the_example_has_every_key_with_a_description() -> None:
    data = yaml_lines.parse((ROOT / "config.example.yaml").read_bytes()).data
    for way, section in keys.keys().items():
        for name, field in section.model_fields.items():
            assert field.description, name
        if "*" in way:
            continue
        at = data
        for part in way:
            at = at[part]
        assert set(at) == {f.alias or n for n, f in section.model_fields.items()}, way


def test_a_file_to_begin_with_sets_what_was_chosen_and_nothing_else(tmp_path: Path) -> None:
    folders = [Path("/music"), Path("/a b/'c': #d ü"), Path("/true"), Path("/x\u2028y\x7f")]
    config = read(tmp_path, template.chosen(folders, "jellyfin"))
    assert [library.path for library in config.libraries] == folders
    assert config.model_copy(update={"libraries": (), "output": Config().output}) == Config()
    assert getattr(config.output, "preset", None) == "jellyfin"


def test_every_commented_key_of_it_may_be_uncommented(tmp_path: Path) -> None:
    text = template.chosen([], "generic")
    lines = [
        line.replace("#", "", 1) if line.lstrip().startswith("#") and "# " not in line[:8] else line
        for line in text.splitlines()
    ]
    bare = "\n".join(line for line in lines if line.strip() != "")
    assert read(tmp_path, bare) == Config()
