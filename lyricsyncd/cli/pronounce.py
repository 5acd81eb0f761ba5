"""``lyricsyncd pronounce``: show how words would be sung, and by whom they were read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.console import note, print_utf8, print_utf8_json
from lyricsyncd.cli.options import CONTEXT, json_option

if TYPE_CHECKING:
    from lyricsyncd.align.lexicon import Pronunciation


@click.command(context_settings=CONTEXT)
@click.argument("text", metavar="TEXT|-")
@click.option(
    "--language",
    metavar="L",
    help="Language of the words, such as ja, or its name; by default it is detected.",
)
@json_option
def pronounce(text: str, language: str | None, as_json: bool) -> None:
    """Show how the words of TEXT would be sung, in the International Phonetic Alphabet.

    With - the text is read from standard input. Of several ways to sing a word the likelier comes
    first; where words are placed, the sound decides. Behind them stands the library, the voice or
    the rules by which the word was read.

    Exit status: 0 done; 1 failed; 2 wrong usage.
    """
    from lyricsyncd import readings
    from lyricsyncd.align import lexicon
    from lyricsyncd.text.language import detect

    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    tongue = _language(language) if language else detect(text)
    lines = [readings.divided(line, tongue) for line in text.splitlines()]
    found = lexicon.pronounce(lines, tongue)
    words = [
        (word, ways)
        for line, read in zip(lines, found, strict=True)
        for word, ways in zip(line, read, strict=True)
        if any(character.isalnum() for character in word)
    ]
    if warning := lexicon.caution(tongue):
        note(f"Warning: {warning}")
    if as_json:
        print_utf8_json({"language": tongue, "words": [_row(word, ways) for word, ways in words]})
        return
    width = max((len(word) for word, _ in words), default=0)
    for word, ways in words:
        row = _row(word, ways)
        read = "  ".join(row["ipa"]) or "(no sound)"
        print_utf8(f"{word:<{width}}  {read}  [{row['reader'] or 'nothing'}]\n")


def _row(word: str, ways: tuple[Pronunciation, ...]) -> dict[str, Any]:
    return {
        "word": word,
        "ipa": list(dict.fromkeys(way.ipa for way in ways)),
        "reader": ", ".join(dict.fromkeys(way.reader for way in ways)),
    }


def _language(name: str) -> str:
    from lyricsyncd.text.language import code

    found = code(name)
    if found is None:
        raise click.UsageError(f"--language: there is no language '{name}'; use a code such as ja.")
    return found
