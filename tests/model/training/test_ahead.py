"""What is made ahead comes in its order, and no further than one item."""

from contextlib import closing
from itertools import count

import pytest

from model.training.ahead import ahead


def test_every_item_comes_once_and_in_order():
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(ahead(iter([None, None]))) == [None, None]


def test_one_item_is_made_while_another_is_used_and_none_after_the_end():
    made = []

    def make():
        for number in count():
            made.append(number)
            yield number

    with closing(ahead(make())) as items:
        assert [next(items), next(items)] == [0, 1]
    assert made == [0, 1, 2]


def test_what_goes_wrong_is_told_where_the_item_was_due():
    def make():
        yield 1
        raise ValueError("no more")

    items = ahead(make())
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)
