"""A card that a person has written on, on the Hub: what is theirs is kept, or nothing is sent."""

from __future__ import annotations

from difflib import SequenceMatcher

from pipeline.cards.own_section import OWN_END, OWN_START, own_section, with_own_section
from pipeline.hub.errors import HubRefused

_SHOWN = 80
_PLACEHOLDER = "*Nothing is written here yet."
"""How the own section begins as long as nobody has written in it."""


class CardEdited(HubRefused):
    """A person has changed lines of the card that we write, which can't be kept and rewritten."""


def merge_card(ours: str, published: str | None, found: str | None) -> str:
    """The card to send: ours, with whatever a person wrote on the Hub in its own section.

    Where nobody has written there, our section stands: its owner may have filled it in the folder.
    `published`: the card as it was last sent, None if none was; `found`: as it is on the Hub now.
    Blocks of lines that a person has put between ours move to the own section.

    Raises:
        CardEdited: lines of ours were changed or removed there.
    """
    if found is None:
        return ours
    theirs = _bare(found)
    if published is None:
        blocks = [_without_header(theirs)]
    elif theirs in (_bare(ours), _bare(published)):
        blocks = []
    else:
        blocks = _added(_bare(published), theirs)
    own = own_section(found)
    if _nobody_wrote(own) and not _nobody_wrote(own_section(ours)):
        own = own_section(ours)
    texts = [text for one in [own or "", *blocks] if (text := one.strip("\n"))]
    if not any(blocks):
        return ours if own is None else _with_own(ours, own)
    return _with_own(ours, "\n\n" + "\n\n".join(texts) + "\n\n")


def leaves_out(ours: str, sent: str) -> bool:
    """Whether our card has a text in its own section that the sent one has not."""
    text = own_section(ours)
    return not _nobody_wrote(text) and (text or "").strip() not in sent


def _nobody_wrote(own: str | None) -> bool:
    """Whether there is no own section, or it is as m5ser makes it: one line."""
    text = (_PLACEHOLDER if own is None else own).strip()
    return text.startswith(_PLACEHOLDER) and "\n" not in text


def _bare(card: str) -> str:
    """The card with nothing in its own section."""
    return with_own_section(card, "")


def _with_own(card: str, own: str) -> str:
    if own_section(card) is None:
        return f"{card}\n{OWN_START}{own}{OWN_END}\n"
    return with_own_section(card, own)


def _without_header(card: str) -> str:
    """The card without its YAML: a repository made by hand begins with a header of its own."""
    if not card.startswith("---\n"):
        return card
    _, _, body = card[4:].partition("\n---\n")
    return body


def _added(published: str, found: str) -> list[str]:
    """Blocks of lines that were put between those of the published card."""
    before, after = published.splitlines(), found.splitlines()
    header = before.index("---", 1) if "---" in before[1:] else 0
    blocks = []
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for change, start, _, first, last in changes:
        if change == "insert" and start > header:
            blocks.append("\n".join(after[first:last]))
        elif change == "insert":
            raise _edited(after[first], "which was added to the header: take that line away there")
        elif change != "equal":
            raise _edited(before[start], "which m5ser writes: put that line back there")
    return blocks


def _edited(line: str, fix: str) -> CardEdited:
    return CardEdited(
        f"README.md was changed by hand on the Hub, at the line '{line.strip()[:_SHOWN]}', {fix}; "
        "what you want to say is kept in lines of your own below the header, best between "
        f"'{OWN_START}' and '{OWN_END}'"
    )
