from __future__ import annotations

from importlib.metadata import distribution

import pytest

from flows.doctor import bundled_recipes
from pipeline.corpora.several import Several
from pipeline.engine import Engine
from pipeline.errors import InputError
from pipeline.provenance.components import (
    Component,
    components_of,
    installed_versions,
    ledger,
    may_pass_on_text,
    unused_licences,
)
from pipeline.provenance.licences import terms_of
from pipeline.recipe import Recipe, published
from pipeline.recipe_file import load_recipe
from tests.pipeline.provenance.resolved import recipe
from tests.unions import engines_of


def names(components: tuple[Component, ...]) -> list[str]:
    return [component.name for component in components]


def engines(field: str) -> list[type[Engine]]:
    """The classes that a section of the recipe may be; several corpora are each for themselves."""
    found = engines_of(Recipe.model_fields[field].annotation)
    return [engine for engine in found if engine is not Several]


def test_components_are_those_of_the_recipe_each_once() -> None:
    assert names(components_of(recipe())) == [
        "quickstart", "memory", "built-in translations", "espeak", "espeak voices", "world",
        "m5ser", "dnsmos",
    ]  # fmt: skip


def test_every_part_of_a_mixed_corpus_is_one() -> None:
    parts = [{"engine": "meld"}, {"engine": "crema-d"}]
    mixed = components_of(recipe(corpus={"engine": "several", "parts": parts}))
    assert names(mixed)[:2] == ["meld", "crema-d"]


def test_the_vocoder_is_named_only_where_prosody_is_transferred() -> None:
    assert "world" not in names(components_of(recipe(prosody={"from": "none"})))


def test_engines_without_an_entry_are_an_error_that_names_each_and_its_file() -> None:
    unknown = recipe(synthesis={"engine": "parrot"}, judges=[{"engine": "utmos"}])
    with pytest.raises(InputError) as wrong:
        components_of(unknown)
    assert str(wrong.value).splitlines() == [
        f"pipeline/provenance/ledger/{file}.yaml has no entry '{name}': every {kind} needs one, "
        "under the name of its engine"
        for file, name, kind in (
            ("synthesizers", "parrot", "synthesizer"),
            ("voices", "parrot", "voice"),
            ("judges", "utmos", "judge"),
        )
    ]


def test_a_corpus_without_an_entry_is_an_error_that_names_its_file() -> None:
    for ask in (lambda: ledger()["corpus", "diary"], lambda: may_pass_on_text("diary", "MIT")):
        with pytest.raises(InputError, match=r"ledger/corpora.yaml has no entry 'diary': every"):
            ask()


KINDS = (
    ("corpus", ["corpus"]),
    ("translation", ["translator"]),
    ("synthesis", ["synthesizer", "voice"]),
    ("judges", ["judge"]),
    ("text_judges", ["text judge"]),
)
"""The kinds of component that an engine of a section is."""


@pytest.mark.parametrize(("field", "kinds"), KINDS)
def test_every_engine_has_an_entry_whose_setting_is_one_of_its_fields(
    field: str, kinds: list[str]
) -> None:
    assert engines(field)
    for engine in engines(field):
        name = engine.model_fields["engine"].default
        for kind in kinds:
            entry = ledger()[kind, name]
            assert entry.setting is None or entry.setting in engine.model_fields, (kind, name)
            assert (entry.source_type is not None) == (kind == "synthesizer")


@pytest.mark.parametrize(("field", "kinds"), KINDS)
def test_every_entry_is_an_engine_s(field: str, kinds: list[str]) -> None:
    names = {engine.model_fields["engine"].default for engine in engines(field)}
    for kind in kinds:
        assert {name for of_kind, name in ledger() if of_kind == kind} == names


@pytest.mark.parametrize("name", bundled_recipes())
def test_every_model_that_a_bundled_recipe_names_has_an_entry(name: str) -> None:
    fields = {**published(load_recipe(name)), "licences": {}}
    models = [one for one in components_of(fields) if one.kind in ("model", "texts")]
    yours = ("checkpoints/", "data/")  # what a person makes or brings
    assert [one.name for one in models if not one.name.startswith(yours) and not one.licence] == []


def test_a_licence_is_stated_of_a_file_by_its_name_and_told_where_it_is_of_none() -> None:
    for place in ("memory.tsv", "data/memory.tsv", "/home/anna/memory.tsv"):
        own = load_recipe("own-recordings", [f"translation.path={place}"])
        assert unused_licences(published(own)) == ()
    own = load_recipe("own-recordings", ["translation.path=other.tsv"])
    assert unused_licences(published(own)) == ("memory.tsv",)
    known = load_recipe("own-recordings", ["translation.path=builtin:quickstart"])
    assert unused_licences(published(known)) == ("memory.tsv",)
    named = load_recipe(
        "own-recordings", ["translation.path=other.tsv", "licences={other.tsv: CC-BY-4.0}"]
    )
    assert unused_licences(published(named)) == ()


def test_every_model_that_an_engine_names_by_itself_has_an_entry() -> None:
    named = [
        (field, engine, engine.model_fields["model"].default)
        for field in ("translation", "synthesis", "judges")
        for engine in engines(field)
        if isinstance(getattr(engine.model_fields.get("model"), "default", None), str)
    ]
    assert len(named) >= 10
    for field, engine, model in named:
        settings = {"engine": engine.model_fields["engine"].default, "model": model}
        section = [settings] if field == "judges" else settings
        [found] = [one for one in components_of(recipe(**{field: section})) if one.kind == "model"]
        assert found.licence, model


def test_no_entry_is_laxer_than_its_own_licence() -> None:
    for component in ledger().values():
        terms = terms_of(component.licence) if component.licence else None
        if terms is not None and component.covers_output:
            assert terms.sell or not component.sell, component.name
            assert terms.derive or not component.derive, component.name
        elif component.covers_output and component.licence:
            assert not component.share, f"{component.name}: terms unknown, yet it may be shared"


def test_a_corpus_that_may_not_be_shared_passes_nothing_on() -> None:
    for (kind, name), component in ledger().items():
        assert kind == "corpus" or not component.redistribute, name
        assert component.share or not component.redistribute, name


def test_packages_of_the_embedded_engines_are_those_that_the_project_installs() -> None:
    judges = [{"engine": "speech"}, {"engine": "speaker"}, {"engine": "whisper", "model": "turbo"}]
    components = components_of(recipe(judges=judges))
    for component in components:
        assert component.package is None or distribution(component.package).version
    versions = installed_versions(components)
    assert versions["silero-vad"][0].isdigit()
    assert versions["quickstart"] == ""


def test_of_a_package_that_is_not_installed_here_the_ledger_s_revision_is_recorded() -> None:
    absent = Component(
        name="absent", kind="tool", licence="MIT", covers_output=False, package="no-such-package",
        revision="1.2",
    )  # fmt: skip
    assert installed_versions([absent]) == {"absent": "1.2"}


def test_what_reads_the_lines_is_named_with_its_translator_and_covers_nothing() -> None:
    nllb = {"engine": "nllb", "model": "facebook/nllb-200-distilled-600M"}
    judges = [{"engine": "form"}, {"engine": "back_translation", "translator": nllb}]
    found = {one.name: one for one in components_of(recipe(text_judges=judges))}
    assert {"sacrebleu", nllb["model"]} <= set(found)
    assert not found[nllb["model"]].covers_output


def test_both_models_of_a_judge_are_named_with_what_pins_them() -> None:
    second = {"model": "large-v3", "sha256": "e5b1" + "0" * 60}
    judge = {"engine": "whisper", "model": "large-v3-turbo", "borderline": second}
    found = [one for one in components_of(recipe(judges=[judge])) if one.name == "whisper weights"]
    assert [one.revision for one in found] == ["", "e5b100000000"]
    assert not any(one.covers_output for one in found)


def test_corrected_lines_are_texts_with_a_licence_of_their_own() -> None:
    corrected = components_of(recipe(corrections="corrections.tsv"))
    [unknown] = [one for one in corrected if one.kind == "texts" and not one.licence]
    assert (unknown.name, unknown.covers_output) == ("corrections.tsv", True)


@pytest.mark.parametrize("name", ["memory.tsv", "small.tsv", "large-v3.tsv", "our-xtts-lines.tsv"])
def test_a_table_of_translations_is_no_model_whatever_its_name(name: str) -> None:
    translation = {"engine": "memory", "path": f"data/{name}" if name == "memory.tsv" else name}
    [table] = [one for one in components_of(recipe(translation=translation)) if one.kind == "texts"]
    assert (table.name, table.licence, table.covers_output) == (translation["path"], None, True)
    assert not [
        one for one in components_of(recipe(translation=translation)) if one.kind == "model"
    ]
    stated = recipe(translation=translation, licences={name: "CC-BY-4.0"})
    [table] = [one for one in components_of(stated) if one.kind == "texts"]
    assert (table.licence, table.covers_output) == ("CC-BY-4.0", True)
    assert unused_licences(stated) == ()


def test_a_model_is_found_by_its_name_and_shows_its_revision() -> None:
    nllb = {"engine": "nllb", "model": "facebook/nllb-200-distilled-600M", "revision": "f8d333a"}
    found = components_of(recipe(translation=nllb))
    [model] = [one for one in found if one.kind == "model"]
    assert (model.name, model.revision) == (nllb["model"], "f8d333a")
    assert (model.licence, model.sell) == ("CC-BY-NC-4.0", False)


@pytest.mark.parametrize(
    ("corpus", "licence", "may"),
    [
        ("quickstart", "Apache-2.0", True),
        ("ravdess", "CC-BY-NC-SA-4.0", True),
        ("meld", "GPL-3.0-only", False),
        ("iemocap", "LicenseRef-IEMOCAP-release-form", False),
        ("esd", "CC-BY-4.0", False),
        ("manifest", "CC-BY-4.0", True),
        ("manifest", "internal", False),
    ],
)
def test_text_is_passed_on_only_where_corpus_and_row_allow_it(
    corpus: str, licence: str, may: bool
) -> None:
    assert may_pass_on_text(corpus, licence) is may
