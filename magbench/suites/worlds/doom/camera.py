"""A camera in a still Freedoom map: a pose in, a frame out. The one file that needs ViZDoom.

The engine is Kempka et al., ViZDoom, IEEE CIG 2016; Freedoom's maps come in its wheel.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.script import SCRIPT
from magbench.suites.worlds.doom.wad import Map, Wad, still, write_still

INSTALL = 'pip install "magbench[3d]"'
EYE = 41.0
"""Units from the feet to the eye."""
UNIT = 65536
"""Steps of the engine's numbers: in a unit, and in a turn."""
NEAR_ENOUGH = 1e-4
OFF = (
    *("hud", "minimal_hud", "crosshair", "weapon", "decals", "particles"),
    *("effects_sprites", "messages", "corpses", "screen_flashes"),
)
"""What the engine would draw besides the place."""
SETTLE = 8
"""Tics that the engine runs before the first frame."""


@dataclass(frozen=True)
class Screen:
    """What the engine draws, and how it becomes a frame.

    Attributes:
        resolution: name of one of the engine's.
        field: its ``fov``, degrees across a picture of 4:3; wider pictures see more.
        drawn: (width, height) that it draws.
        cut: (width, height) in the middle that is kept.
        size: (width, height) of a frame: each pixel is the mean of the area that it covers.
    """

    resolution: str
    field: int
    drawn: tuple[int, int]
    cut: tuple[int, int]
    size: tuple[int, int]

    def intrinsics(self) -> NDArray[np.float64]:
        """(4,) fx, fy, cx, cy in pixels of a frame. The engine draws heights 1.2 times as large as widths."""
        half = int(self.field * 8192 / 360) // 2  # its tables have 8192 angles
        wide = max(1.0, self.drawn[0] / self.drawn[1] / (4 / 3))
        focal = self.drawn[0] / 2 / (np.tan((half + 0.5) * 2 * np.pi / 8192) * wide)
        across, down = self.size[0] / self.cut[0], self.size[1] / self.cut[1]
        return np.array([focal * across, 1.2 * focal * down, self.size[0] / 2, self.size[1] / 2])

    def frame(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame of a picture that the engine drew."""
        import cv2

        left, top = ((whole - part) // 2 for whole, part in zip(self.drawn, self.cut, strict=True))
        cut = picture[top : top + self.cut[1], left : left + self.cut[0]]
        return np.asarray(cv2.resize(cut, self.size, interpolation=cv2.INTER_AREA), np.uint8)


SCREENS = {
    "96x64": Screen("RES_640X480", 96, (640, 480), (576, 384), (96, 64)),
    "832x480": Screen("RES_1280X720", 75, (1280, 720), (1248, 720), (832, 480)),
}
"""Both see 90 degrees across."""


def freedoom(name: str) -> Path:
    """The file in ViZDoom's folder that holds a map: E1M1 to E4M9, or MAP01 to MAP32."""
    spec = importlib.util.find_spec("vizdoom")
    if spec is None or not spec.submodule_search_locations:
        raise MagbenchError(f"3-D frames are drawn by ViZDoom, which is not installed: {INSTALL}")
    return Path(spec.submodule_search_locations[0]) / ("freedoom1.wad" if name.startswith("E") else "freedoom2.wad")


def still_map(name: str) -> Map:
    """The lumps of one map, made still."""
    return still(Wad(freedoom(name)).map(name))


class Camera:
    """The engine with one still map; a context manager. Poses are x, y, z of the eye, yaw and pitch in degrees."""

    def __init__(self, name: str, screen: Screen) -> None:
        wad = freedoom(name)
        import vizdoom as vzd

        self.screen = screen
        self._folder = tempfile.TemporaryDirectory()
        own = Path(self._folder.name) / "still.wad"
        write_still(own, name, still_map(name))
        game = self._game = vzd.DoomGame()
        game.set_doom_game_path(str(wad))
        game.set_doom_scenario_path(str(own))
        game.set_doom_map(name)
        game.set_doom_config_path(str(own.with_name("engine.ini")))
        game.set_screen_resolution(getattr(vzd.ScreenResolution, screen.resolution))
        game.set_screen_format(vzd.ScreenFormat.RGB24)
        game.set_window_visible(False)
        game.set_sound_enabled(False)
        game.set_console_enabled(False)
        for what in OFF:
            getattr(game, f"set_render_{what}")(False)
        game.set_available_buttons([vzd.Button.TURN_LEFT_RIGHT_DELTA])
        variables = vzd.GameVariable
        game.set_available_game_variables(
            [variables.POSITION_X, variables.POSITION_Y, variables.POSITION_Z, variables.ANGLE]
        )
        game.set_mode(vzd.Mode.PLAYER)
        game.set_seed(1)
        game.set_doom_skill(3)
        game.set_episode_timeout(0)
        game.set_episode_start_time(1)
        game.add_game_args("-nomonsters +sv_cheats 1")
        self._start()

    def _start(self) -> None:
        """Start the engine in a folder of its own, into which it writes, and still everything that moves by itself."""
        before = os.getcwd()
        os.chdir(self._folder.name)
        try:
            self._game.init()
        finally:
            os.chdir(before)
        self._game.new_episode()
        commands = (
            "god",
            "noclip2",
            "freeze",
            f"fov {self.screen.field}",
            "movebob 0",
            "stillbob 0",
            "r_clearbuffer 1",
        )
        for command in commands:
            self._game.send_game_command(command)
        for _ in range(SETTLE):
            self._game.advance_action(1, False)

    def picture(self, pose: NDArray[np.float64]) -> NDArray[np.uint8]:
        """What the engine draws at a pose, (height, width, 3) uint8; the array is shared.

        Raises:
            MagbenchError: the engine refuses the place: outside the map, below a floor or above a ceiling.
        """
        x, y, z, yaw, pitch = pose.tolist()
        place = [round(value * UNIT) for value in (x, y, z - EYE)]
        turned, tilted = round(yaw * UNIT / 360) & 0xFFFF, round(-pitch * UNIT / 360)
        self._game.send_game_command(f"puke {SCRIPT} {' '.join(map(str, place))} {tilted << 16 | turned}")
        self._game.advance_action(1, False)  # the height of the view lags a tic
        self._game.advance_action(1, True)
        state = self._game.get_state()
        wanted = [*(value / UNIT for value in place), turned * 360 / UNIT]
        stands = np.asarray(state.game_variables)
        if not np.allclose(stands, wanted, rtol=0, atol=NEAR_ENOUGH):
            found = [round(value, 3) for value in stands.tolist()]
            raise MagbenchError(f"the engine refuses x, y, z, yaw {wanted}, and stands at {found}")
        return np.asarray(state.screen_buffer)

    def frame(self, pose: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The frame at a pose, (H, W, 3) uint8."""
        return self.screen.frame(self.picture(pose))

    def undrawn(self, pose: NDArray[np.float64]) -> float:
        """Share of the pixels that the engine leaves undrawn at a pose, where a texture is missing."""
        one = self.picture(pose).copy()
        self._game.send_game_command("r_clearbuffer 2")
        other = self.picture(pose)
        self._game.send_game_command("r_clearbuffer 1")
        return float((one != other).any(axis=-1).mean())

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._game.close()
        self._folder.cleanup()


def on_lattice(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Poses as the engine holds them: to 1/65536 unit and 1/65536 turn, yaw in [0, 360)."""
    places = np.round(poses[:, :3] * UNIT) / UNIT
    yaw = np.round(poses[:, 3:4] * UNIT / 360) % UNIT * 360 / UNIT
    return np.hstack([places, yaw, np.round(poses[:, 4:] * UNIT / 360) * 360 / UNIT])
