"""The script that places the camera, in the byte code of the engine (ACS), assembled by hand."""

from __future__ import annotations

import struct

SCRIPT = 900

PUSH, PUSH_VARIABLE, DROP, AND, SHIFT_RIGHT, END = 3, 28, 54, 72, 77, 1
SET_POSITION, SET_ANGLE, SET_PITCH = 283, 276, 332


def place_camera() -> bytes:
    """Script ``SCRIPT`` (x, y, z, pitch << 16 | angle): puts the player there, at rest; all numbers are 16.16 fixed.

    Angle and pitch are in 1/65536 turns.
    """
    player = [PUSH, 0]
    turned = [PUSH_VARIABLE, 3]
    code = [*player, PUSH_VARIABLE, 0, PUSH_VARIABLE, 1, PUSH_VARIABLE, 2, PUSH, 0, SET_POSITION, DROP]
    code += [*player, *turned, PUSH, 0xFFFF, AND, SET_ANGLE]
    code += [*player, *turned, PUSH, 16, SHIFT_RIGHT, SET_PITCH, END]
    body = struct.pack(f"<{len(code)}i", *code)
    start, arguments = 8, 4
    directory = struct.pack("<iiiii", 1, SCRIPT, start, arguments, 0)
    return b"ACS\0" + struct.pack("<i", start + len(body)) + body + directory
