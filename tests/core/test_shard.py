"""Shares are disjoint, make the whole, and are stretches of it."""

from __future__ import annotations

import pytest

from magbench.core.errors import MagbenchError
from magbench.core.shard import Shard


@pytest.mark.parametrize(("items", "count"), [(0, 1), (1, 3), (7, 3), (42, 5), (100, 100), (3, 8)])
def test_the_shares_make_the_whole(items: int, count: int) -> None:
    whole = list(range(items))
    shares = [list(Shard(index, count).of(whole)) for index in range(1, count + 1)]
    assert [item for share in shares for item in share] == whole
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_pairs_are_shared_keys_first() -> None:
    assert Shard(1, 2).of_pairs("ab", [1, 2, 3]) == {"a": [1, 2, 3]}
    assert Shard(2, 4).of_pairs("ab", [1, 2, 3]) == {"a": [2, 3]}
    assert Shard(2, 3).of_pairs("ab", [1, 2, 3]) == {"a": [3], "b": [1]}


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "a/b", "1/0", "-1/2", "1/2/3", "1.5/2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(MagbenchError, match="^shard "):
        Shard.parse(text)


def test_a_share_is_read_as_it_is_written() -> None:
    assert str(Shard.parse("3/64")) == "3/64"
