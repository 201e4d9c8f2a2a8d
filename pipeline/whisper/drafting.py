"""The wanted text as a draft: its tokens, and where it goes on once the transcript re-joins it.

Only speed depends on a draft, never the transcript: every token is checked against the model's own
choice. So what Whisper could not have written is left out, and what it may add is put on trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from pipeline.whisper.rules import Rules
from pipeline.whisper.spelling import Spelling, spell

_TAILS = (8, 4, 2, 1)
"""How many of the last tokens are looked up in the draft: the longest first, as the surest."""
_MIN_MATCH_BYTES = 2


class Draft:
    """Draft tokens and a cursor: the next token expected, or None while the transcript is apart."""

    def __init__(self, tokens: Sequence[int], rules: Rules, cursor: int | None = 0) -> None:
        """`cursor` None: nothing is expected before the first look-up (a later window)."""
        self.tokens = list(tokens)
        self.cursor = cursor
        self._floor = 0
        self._rules = rules
        keys = [self._letters(token) for token in self.tokens]
        self._text = b"".join(keys)
        self._ends = list(accumulate(map(len, keys)))

    def proposal(self, limit: int) -> list[int]:
        """The next draft tokens, at most `limit`; none while the transcript is apart."""
        if self.cursor is None:
            return []
        return self.tokens[self.cursor : self.cursor + limit]

    def follow(self, said: Sequence[int], agreed: int) -> None:
        """Move on: `agreed` proposed tokens were right, then the model chose `said[-1]` itself."""
        if self.cursor is not None and agreed:
            self._floor = self.cursor + agreed
        if self.tokens[self._floor : self._floor + 1] == [said[-1]]:
            self.cursor = self._floor + 1
        else:
            self.cursor = self._look_up(said)

    def _look_up(self, said: Sequence[int]) -> int | None:
        """The draft position behind the last words said: prompt-lookup decoding (Saxena 2023).

        Casing and punctuation don't count, so a comma that was not wanted costs one step only.
        """
        spelled = not self._letters(said[-1])
        for count in _TAILS:
            key = b"".join(map(self._letters, said[-count:]))
            if len(key) >= _MIN_MATCH_BYTES and (end := self._end_of(key)) is not None:
                return self._first_after(end, skip_punctuation=spelled)
        return None

    def _end_of(self, key: bytes) -> int | None:
        """Where `key` next ends at a token's end, not before what has been agreed on."""
        done = self._ends[self._floor - 1] if self._floor else 0
        found = self._text.find(key, max(0, done - len(key)))
        while found >= 0:
            if found + len(key) in self._ends:
                return found + len(key)
            found = self._text.find(key, found + 1)
        return None

    def _first_after(self, end: int, skip_punctuation: bool) -> int:
        cursor = self._ends.index(end) + 1
        while skip_punctuation and self._ends[cursor : cursor + 1] == [end]:
            cursor += 1
        return cursor

    def _letters(self, token: int) -> bytes:
        """A token's letters, digits and non-ASCII bytes in lower case; b"" for punctuation."""
        spelled = self._rules.tokenizer.encoding.decode_single_token_bytes(token)
        return bytes(byte for byte in spelled.lower() if byte >= 0x80 or chr(byte).isalnum())


def draft_tokens(text: str, rules: Rules, spelling: Spelling) -> list[int]:
    """Spell a wanted text as the model would write it in the language of `rules`.

    By letters: see `pipeline.whisper.spelling`. By tokens: Whisper opens with a space (not where
    that is a token of its own, which it suppresses), writes no quotes or brackets, and mostly
    closes a sentence with a stop; a stop that it doesn't write costs nothing, because the position
    before it is checked in the same pass.

    Raises:
        ValueError: the text holds nothing to say.
    """
    encode = rules.tokenizer.encode
    if spelling == "letters":
        spelled = spell(text, rules.language, spelling)
        if not spelled:
            raise ValueError(
                f"text {text!r} holds no letter that this checkpoint spells; write numbers out, "
                "and names of another script in Latin letters"
            )
        return [token for letter in spelled for token in encode(letter)]
    unwritten = {(token,) for token in rules.suppressed}
    text = " ".join("".join(c for c in text if tuple(encode(c)) not in unwritten).split())
    if not any(c.isalnum() for c in text):
        raise ValueError(f"text {text!r} holds no letter or digit; nothing can be checked")
    if text[-1].isalnum():
        text += "."
    opened: list[int] = encode(" " + text)
    return opened if opened[0] not in rules.blank else list(encode(text))
