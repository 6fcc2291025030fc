"""Seeded damage to a file: bits, bytes, lengths, and whatever has fooled a reader of text before."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

DEEP = 5_000
NASTY = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"0", b"-1", b"-0.0", b"1.5", b'"x"', b"NaN", b"-Infinity", b"1e999"),
    *(b"1" * 30, b"9" * 5_000, b"9223372036854775808", b"1e308", b"5e-324", b"[" * DEEP, b'{"a":' * DEEP),
    *(b".inf", b".nan", b"2024-99-99", b"!!int abc", b"!!int ''", b"!!float x", b"0b_", b"0x", b"1:30", b"~"),
    *(b"&a [x]", b"*a", b"<<: *a", b"!!python/object:os.system x", b"--- ", b"- " * DEEP, b"? : ", b"\t", b"%YAML 9.9"),
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\n\n", b",,,,", b'"', b"'", b'"a""'),
    *(b"../../../etc/passwd", b"/etc/passwd", b"x" * 5_000, b"a\\u0000b", b"\\ud800", b"\xc2\x85", b"\xe2\x80\xa8"),
)
SIZES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**62, 2**63 - 1, 2**64 - 1)
TOKEN = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*"|\b[a-z_]+\b|[^,:\n]+')

Change = Callable[[bytes, random.Random], bytes]


def _place(data: bytes, rng: random.Random) -> int:
    """Somewhere; every other time near an end, where headers and tables of contents are."""
    length = len(data)
    if rng.random() < 0.5:
        near = rng.randrange(min(length, 256) + 1)
        return near if rng.random() < 0.6 else length - near
    return rng.randrange(length + 1)


def _flip(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 4, 32))):
        if found:
            found[min(_place(data, rng), len(found) - 1)] ^= 1 << rng.randrange(8)
    return bytes(found)


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 2, 4, 8))
    number = rng.choice(SIZES) & (2 ** (8 * size) - 1)
    return data[:at] + number.to_bytes(size, rng.choice(("little", "big"))) + data[at + size :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] if rng.random() < 0.5 else data[:at] + data[at + rng.choice((1, 2, 4, 16, 256)) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    at, length = _place(data, rng), rng.choice((1, 4, 16, 64, 1024))
    return data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]


def _move(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted((_place(data, rng), _place(data, rng)))
    length = rng.choice((1, 4, 16, 64))
    return data[:a] + data[b : b + length] + data[a + length : b] + data[a : a + length] + data[b + length :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + (rng.choice(NASTY) if rng.random() < 0.7 else rng.randbytes(rng.choice((1, 4, 64)))) + data[at:]


def _replace_token(data: bytes, rng: random.Random) -> bytes:
    tokens = list(TOKEN.finditer(data[:100_000]))
    if not tokens:
        return _insert(data, rng)
    token = rng.choice(tokens)
    return data[: token.start()] + rng.choice(NASTY) + data[token.end() :]


def _json(data: bytes, rng: random.Random) -> bytes:
    """JSON that stays JSON: one value is exchanged, one key is dropped or renamed, or one number is moved a little."""
    try:
        root: Any = [json.loads(data)]
    except ValueError:
        return _replace_token(data, rng)
    places: list[tuple[Any, Any]] = []
    _walk(root, places)
    holder, key = rng.choice(places)
    if rng.random() < 0.2 and isinstance(holder, dict):
        value = holder.pop(key)
        if rng.random() < 0.5:
            holder[rng.choice(("", "x", "a" * 300, "../x", "\0", key + "s"))] = value
    else:
        near = [holder[key] + 1, -holder[key]] if isinstance(holder[key], int | float) else []
        holder[key] = rng.choice([*VALUES, *near])
    return json.dumps(root[0]).encode() if root else b""


def _walk(holder: Any, places: list[tuple[Any, Any]]) -> None:
    for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
        places.append((holder, key))
        if isinstance(value, dict | list):
            _walk(value, places)


def _safetensors(data: bytes, rng: random.Random) -> bytes:
    """Its header changed as JSON, and its length put right."""
    length = int.from_bytes(data[:8], "little")
    header = _json(data[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def _png(data: bytes, rng: random.Random) -> bytes:
    """The bytes of one chunk changed, and its checksum put right."""
    at, chunks = 8, []
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + size]])
        at += 12 + size
    chunk = rng.choice(chunks)
    chunk[1] = rng.choice(BINARY)(chunk[1], rng)
    return data[:8] + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big") for kind, body in chunks
    )


def _zip(data: bytes, rng: random.Random) -> bytes:
    """The bytes of its member changed, under a right checksum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.infolist()[0]
        content = rng.choice((*BINARY, *TEXT))(archive.read(member), rng)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", member.compress_type) as archive:
        archive.writestr(rng.choice((member.filename,) * 9 + ("x.npy",)), content)
    return target.getvalue()


VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    2**62,
    2**70,
    1e308,
    "",
    "x",
    "\0",
    "../x",
    "x" * 300,
    [],
    {},
    [[1]],
    {"a": 1},
    "3",
)

TEXT: tuple[Change, ...] = (_replace_token, _replace_token, _replace_token, _insert, _cut, _repeat, _move, _flip)
BINARY: tuple[Change, ...] = (_flip, _flip, _overwrite, _overwrite, _cut, _repeat, _move, _insert)

WHOLE: dict[bytes, Change] = {b"{": _json, b"\x89PNG": _png, b"PK": _zip}
"""How a file begins -> damage that leaves what surrounds it whole."""


def mutated(data: bytes, seed: str) -> bytes:
    """One damaged copy; equal seeds give equal copies."""
    rng = random.Random(seed)
    whole = next((change for start, change in WHOLE.items() if data.startswith(start)), None)
    if data[8:9] == b"{":
        whole = _safetensors
    if whole is not None and rng.random() < 0.5:
        return whole(data, rng)
    changes = BINARY if b"\0" in data else TEXT
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(changes)(data, rng)
    return data
