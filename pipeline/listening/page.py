"""The page of a listening test: one file, blind, that asks nothing of the network."""

from __future__ import annotations

import base64
from pathlib import Path

from pipeline.cards.templates import render_html
from pipeline.dataset.reading import open_folder
from pipeline.errors import InputError
from pipeline.languages import LANGUAGES, language_name
from pipeline.listening.answers import NONE
from pipeline.listening.draw import Clip, Draw, draw_clips, draw_id
from pipeline.provenance.flac import NotFlac, comments_of, with_comments

_AUDIO_BYTES = 60_000_000
"""FLAC in a page, before base64: some 1000 clips of 3 s; browsers hold far more."""


def write_page(folder: Path, draw: Draw, out: Path) -> list[Clip]:
    """Write the page of a test of a dataset folder; the same draw gives the same bytes.

    A clip is known by its hash alone; the page shows it to each listener in an order of their own,
    with the emotions of the set and none of them to choose from, asks once which of the languages
    they understand, and saves their answers as a JSON file.

    Raises:
        InputError: there is nothing to play, or too much for a page.
    """
    with open_folder(folder) as dataset:
        clips = draw_clips(dataset, draw)
        audio = dataset.audio([clip.take_id for clip in clips])
        size = sum(map(len, audio.values()))
        if size > _AUDIO_BYTES:
            raise InputError(
                f"--clips {draw.clips}, --rejected {draw.rejected}: {size / 1e6:.0f} MB of audio "
                f"are more than a page can hold ({_AUDIO_BYTES / 1e6:.0f}): draw fewer"
            )
        spoken = {clip.language for clip in clips}
        page = render_html(
            "listening_test.html.jinja",
            name=dataset.recipe["name"],
            test={
                "test": draw_id(clips),
                "draw": draw.model_dump(mode="json"),
                "emotions": list(dataset.emotions),
                "clips": [clip.key for clip in clips],
            },
            languages=[(one, language_name(one)) for one in LANGUAGES if one in spoken],
            no_emotion=NONE,
            audio={clip.key: _anonymous(audio[clip.take_id], clip) for clip in clips},
        )
    out.write_text(page, encoding="utf-8")
    return clips


def _anonymous(flac: bytes, clip: Clip) -> str:
    """The clip as base64; its comments still say that it is synthetic, and no more which take."""
    try:
        told = {name: value for name, value in comments_of(flac).items() if name != "TAKE_ID"}
        return base64.b64encode(with_comments(flac, told)).decode()
    except NotFlac as error:
        raise InputError(f"{clip.take_id}: its audio is no FLAC: {error}") from error
