"""Recipes: all errors at once, each with field, value and fix; nothing in a file is trusted."""

from pathlib import Path

import pytest
import yaml

from pipeline.recipe import Recipe, published
from pipeline.recipe_file import load_recipe, parse_recipe
from pipeline.selection.choose import Selection
from pipeline.settings_file import BadRecipe, _Loader

MINIMAL = "name: mine\ncorpus: {engine: quickstart}\nlanguages: [de]\n"
BUNDLED = sorted(path.stem for path in Path("recipes").glob("*.yaml"))


def errors(text, *overrides):
    with pytest.raises(BadRecipe) as caught:
        parse_recipe(text, overrides)
    return caught.value.errors


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_recipe_opens_with_its_command_and_is_valid(name):
    text = Path("recipes", f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# m5ser build recipes/{name}.yaml")
    assert load_recipe(name).name == name


def test_null_takes_a_section_or_an_entry_of_a_list_out():
    overrides = ["judges.whisper=null", "gates.transcript=null", "languages=[en, pl]"]
    overrides += ["selection=null", "text_judges.form=null"]
    recipe = load_recipe("quickstart", overrides)
    assert "whisper" not in {judge.engine for judge in recipe.judges}
    assert "transcript" not in recipe.gates
    assert [judge.engine for judge in recipe.text_judges] == ["language"]
    assert recipe.selection == Selection()


def test_null_is_a_value_of_a_field_that_may_have_none():
    assert load_recipe("quickstart", ["licence=null"]).licence is None
    [error] = errors(MINIMAL, "takes=null")
    assert error.startswith("takes: None is not allowed")


def test_there_are_bundled_recipes():
    assert {"quickstart", "ravdess", "own-recordings"} <= set(BUNDLED)


def test_three_errors_come_at_once_with_field_and_fix():
    found = errors("name: Bad Name\ncorpus: {engine: quickstart}\nlanguages: [de, xx]\ntakez: 3\n")
    assert len(found) == 3
    assert any(error.startswith("name: 'Bad Name'") for error in found)
    assert any(error.startswith("languages.1: 'xx'") for error in found)
    assert any("takez: unknown field" in e and "did you mean 'takes'" in e for e in found)


def test_an_unknown_engine_names_the_known_ones():
    (error,) = errors("name: a\ncorpus: {engine: ravdes}\nlanguages: [de]\n")
    assert "unknown engine 'ravdes' (did you mean 'ravdess'?)" in error
    assert "quickstart" in error


def test_a_gate_on_a_score_that_nobody_writes_is_refused():
    text = MINIMAL + "judges: [{engine: duration}]\ngates: {g: {score: cer, max: 0.1}}\n"
    (error,) = errors(text)
    assert "gates.g reads the score 'cer'" in error
    assert "duration_s" in error


def test_every_vote_on_a_score_that_nobody_writes_is_refused():
    votes = "[{score: cer, max: 0.1}, {score: wer, max: 0.1}, {score: duration_s, min: 1}]"
    gate = f"g: {{at_least: 1, votes: {votes}}}"
    text = MINIMAL + f"judges: [{{engine: duration}}]\ngates: {{{gate}}}\n"
    assert [error.split(", which")[0] for error in errors(text)] == [
        "recipe: gates.g reads the score 'cer'",
        "recipe: gates.g reads the score 'wer'",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("languages: [de, de]", "'languages' stands twice"),
        (
            "judges: [{engine: speech}, {engine: speech}]",
            "judges.1 (speech) writes the score 'speech_share', as judges.0 does",
        ),
        (
            "text_judges: [{engine: language}, {engine: language}]",
            "text_judges.1 (language) writes the score 'text_language_probability', as text_judges",
        ),
        ("takes: 0", "takes: 0 is not allowed"),
        ("takes: .nan", "takes"),
        ("seed: -1", "seed: -1"),
        ("gates: {g: {score: x}}", "no bound"),
    ],
)
def test_each_wrong_value_is_explained(line, message):
    assert any(message in error for error in errors(MINIMAL + line))


RAVDESS = "name: mine\ncorpus: {engine: ravdess}\nlanguages: [de]\ntext_judges: [{engine: form}]\n"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("text_gates.form.max=1", "text_gates.form.score: missing: add it"),
        ("gates={g: {score: x, min: abc}}", "gates.g.min: 'abc' is not allowed: Input should be a"),
        ("gates={g: {at_least: 2}}", "gates.g.votes: missing: add it"),
        ("gates={g: }", "gates.g: None is not allowed: Input should be a valid dictionary"),
        ("synthesis={engine: espeak, labels: 1}", "synthesis.labels: unknown field: remove it"),
        ("corpus.nope=1", "corpus.nope: unknown field: remove it"),
        ("corpus.path=2024", "corpus.path: 2024 is not allowed: YAML reads no text in it: put it"),
        ("corpus.path=2024-01-01", "corpus.path: datetime.date(2024, 1, 1) is not allowed: YAML"),
        ("text_judges.form.nope=1", "text_judges.0.nope: unknown field: remove it"),
        ("prosody={from: source, strengths: [3]}", "prosody.strengths.0: 3 is not allowed: Input"),
        ("synthesis={engine: }", "synthesis: unknown engine 'None'; known are: espeak, "),
        (".takes=3", "--set '.takes=3': write field=value, as in --set takes=3"),
        ("licence=2024-13-45", "--set 'licence=2024-13-45': the value is not YAML: month must be"),
        ("shard_rows=0b_", "--set 'shard_rows=0b_': the value is not YAML: invalid literal for"),
        (
            "gates={quality: {score: x, min: 1}, qualty: {min: 2}}",
            "gates.qualty.score: missing: add it (did you mean 'quality'?)",
        ),
        ("languages=[de, po]", "languages.1: 'po' is not allowed: known are en, de, fr, it, es,"),
        ("languages=[jp]", "languages.0: 'jp' is not allowed (did you mean 'ja'?): known are"),
        ("name.x=1", "--set 'name.x=1': 'name' has no fields: leave out what follows it"),
        ("name.x.y=1", "--set 'name.x.y=1': 'name' has no fields: leave out what follows it"),
        (
            "text_judges.9.x=1",
            "--set 'text_judges.9.x=1': nothing in the list is called '9': there are form",
        ),
        ("languages.fr.x=1", "--set 'languages.fr.x=1': nothing in the list is called 'fr': there"),
        ("takes=[[[", "--set 'takes=[[[': the value is not YAML: while parsing"),
        ("languages=[no]", "languages.0: False is not allowed: YAML reads no text in it: put it"),
    ],
)
def test_an_error_is_said_once_of_the_field_as_set_takes_it(override, message):
    (error,) = errors(RAVDESS, override)
    assert error.startswith(message)


@pytest.mark.parametrize(("key", "value"), [("1", "1"), ("on", "True")])
def test_a_name_that_yaml_reads_as_no_text_is_said_so(key, value):
    named, empty = errors(RAVDESS, f"gates={{{key}: {{}}}}")
    assert named == f"gates.1: {value} is not allowed: YAML reads no text in it: put it into quotes"
    assert empty == "gates.1.score: missing: add it"


@pytest.mark.parametrize("name", ["too short, or silent", "Speech", "1st", "duplicate", "balance"])
@pytest.mark.parametrize("section", ["gates", "text_gates"])
def test_a_gate_s_name_can_stand_as_a_reason(section, name):
    gate = f"{{'{name}': {{score: dnsmos_p808, min: 2}}}}"
    [error] = [one for one in errors(MINIMAL, f"{section}={gate}") if "reads" not in one]
    assert error.startswith(f"{section}.{name}: ")
    assert "name a gate by a-z" in error or "is a choice among takes" in error


def test_what_the_sections_want_of_each_other_comes_at_once():
    text = MINIMAL + "judges: [{engine: duration}]\nselection: {utility: {wer: 1}}\n"
    gates = "gates: {g: {score: cer, max: 0.1}}\ntext_gates: {t: {score: cer, max: 0.1}}\n"
    found = errors(text.replace("[de]", "[de, de, fr]") + gates)
    starts = ("languages names de", "text_gates.t reads", "gates.g reads", "selection.utility.wer")
    assert len(found) == len(starts)
    for error, start in zip(found, starts, strict=True):
        assert error.startswith(f"recipe: {start}")


def test_no_rate_is_claimed_above_the_one_at_which_prosody_is_put_on():
    (error,) = errors(MINIMAL + "sampling_rate: 24000\n")
    assert "sampling_rate: 24000 is above 16000, at which prosody is put on" in error
    assert error.endswith("set sampling_rate to 16000, or prosody.from to none")
    assert parse_recipe(MINIMAL, ["sampling_rate=24000", "prosody={from: none}"])
    assert parse_recipe(MINIMAL, ["sampling_rate=8000"]).prosody.origin == "source"


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "1" + ":1" * 4999, "1" + ":1" * 499 + ".5"])
def test_a_number_without_measure_is_refused_before_it_is_read(number):
    (error,) = errors(MINIMAL + f"seed: {number}\n")
    line = MINIMAL.count("\n") + 1
    assert error.startswith(f"line {line}: the number {number[:20]}... has {len(number)} char")
    assert error.endswith("at most 100 are read: shorten it")


class CountedKey(str):
    """A key that counts how often it is compared."""

    __hash__ = str.__hash__
    compared = 0

    def __eq__(self, other):
        CountedKey.compared += 1
        return str.__eq__(self, other)


def test_a_key_is_not_compared_with_every_other():
    many = "{" + ", ".join(f"k{n}" for n in range(1000)) + "}"
    node = yaml.compose(many)
    for key, _ in node.value:
        key.value = CountedKey(key.value)
    assert len(_Loader("").construct_mapping(node)) == 1000
    assert CountedKey.compared < 10_000


def test_a_key_that_stands_twice_is_named_and_one_that_is_a_list_refused():
    assert "'k7' stands twice" in errors("{k7, k8, k7}")[0]
    assert "unhashable" in errors("{? [a] : 1, ? [a] : 2}")[0]


def test_a_recipe_in_another_encoding_is_said_so(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(("# Zoë\n" + MINIMAL).encode("cp1252"))
    with pytest.raises(BadRecipe, match=r"mine.yaml' is not UTF-8: save it as UTF-8"):
        load_recipe(str(path))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "name: [", "a: &x 1\nb: *x\n"])
def test_what_is_no_recipe_is_said_so(text):
    assert errors(text)


def test_yaml_can_not_make_objects_or_expand_aliases():
    assert "not YAML" in errors("name: !!python/object/apply:os.system ['true']\n")[0]
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nname: [*b, *b]\n"
    assert "aliases are not allowed" in errors(bomb)[0]
    assert errors("name: " + "[" * 5000)


@pytest.mark.parametrize("tag", ["set {de, fr}", "omap [a: 1]", "pairs [a: 1]", "binary aGk="])
def test_a_kind_of_value_that_no_field_has_is_refused(tag):
    assert (
        f"constructor for the tag 'tag:yaml.org,2002:{tag.split()[0]}'" in errors(f"x: !!{tag}")[0]
    )


@pytest.mark.parametrize("character", ["\\0", "\\ud83d", "\\udc00"])
def test_what_no_text_can_hold_is_refused_with_its_line(character):
    (error,) = errors(MINIMAL + f'licence: "CC0{character}"\n')
    assert error.startswith("line 4: '\\")
    assert error.endswith("is no character of a text: take it out")


@pytest.mark.parametrize(
    "field",
    [
        "corrections",
        "corpus.path",
        "corpus.audio",
        "translation.path",
        "synthesis.model",
    ],
)
@pytest.mark.parametrize("path", ["x" * 256, "ä" * 128, "xy/" * 2000])
def test_a_path_that_no_system_takes_is_refused_with_its_field(field, path):
    text = MINIMAL.replace("quickstart", "meld") + "synthesis: {engine: xtts}\n"
    (error,) = errors(text + "translation: {engine: memory}\n", f"{field}={path}")
    assert error.startswith(f"{field}: '{path[:60]}...' is no path: a name in it has up to 255 byt")


def test_a_recipe_s_name_without_measure_is_no_recipe():
    with pytest.raises(BadRecipe, match=f"there is no recipe '{'x' * 99}…'; bundled are"):
        load_recipe("x" * 5000)


def test_errors_without_measure_are_counted_and_their_values_cut():
    found = errors(MINIMAL + "".join(f"wrong_{n}: 1\n" for n in range(3000)))
    assert len(found) == 51
    assert found[-1] == "and 2950 more errors"
    many = errors(MINIMAL.replace("[de]", f"[{'xx, ' * 20_000}de]"))
    assert many[-1] == "and 19950 more errors"
    (long,) = errors(MINIMAL.replace("mine", "M" * 100_000))
    assert len(long) < 300


def test_a_file_that_is_no_recipe_is_not_read_whole(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(BadRecipe, match="larger than 1 MiB"):
        load_recipe(str(path))


def test_an_unknown_recipe_names_the_bundled_ones():
    with pytest.raises(BadRecipe, match=r"no recipe 'nothere'; bundled are: .*quickstart"):
        load_recipe("nothere")


def test_set_overrides_any_field_and_the_resolved_recipe_records_it():
    overrides = ["takes=3", "gates.quality.min_quantile=0.5", "judges.speech.threshold=0.4"]
    recipe = load_recipe("quickstart", overrides)
    resolved = published(recipe)
    assert resolved["takes"] == 3
    assert resolved["gates"]["quality"]["min_quantile"] == 0.5
    assert next(j for j in resolved["judges"] if j["engine"] == "speech")["threshold"] == 0.4


@pytest.mark.parametrize("override", ["takes", "=3", "judges.99.engine=x", "name.deeper=1"])
def test_a_wrong_override_is_refused(override):
    assert errors(MINIMAL + "judges: [{engine: speech}]\n", override)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_resolved_recipe_is_a_recipe_that_says_the_same(name):
    recipe = load_recipe(name)
    again = parse_recipe(yaml.safe_dump(published(recipe)))
    assert again == recipe


def test_no_path_of_this_machine_is_published(tmp_path):
    recipe = load_recipe("ravdess", [f"corpus.path={tmp_path}/clips"])
    assert published(recipe)["corpus"]["path"] == "clips"
    for path in ("../shared/clips", "~/clips"):
        assert (
            published(load_recipe("ravdess", [f"corpus.path={path}"]))["corpus"]["path"] == "clips"
        )
    within = load_recipe("ravdess", ["corpus.path=data/clips"])
    assert published(within)["corpus"]["path"] == "data/clips"


def test_the_clip_fingerprint_is_of_what_shapes_a_clip(tmp_path):
    def fingerprint(*overrides):
        return load_recipe("ravdess", overrides).clip_fingerprint()

    same = ["gates.clipping.max=0.1", "languages=[de]", "splits.seed=1", f"corpus.path={tmp_path}"]
    assert {fingerprint(one) for one in same} == {fingerprint()}
    for other in ("seed=1", "takes=2", "prosody.neutral_dbfs=-30", "corpus.door.longest_s=9"):
        assert fingerprint(other) != fingerprint()


def test_the_schema_covers_every_field():
    assert set(Recipe.model_json_schema()["properties"]) == set(Recipe.model_fields)
