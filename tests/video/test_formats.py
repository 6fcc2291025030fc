"""Folders of PNG files and .npz files: read in order and to the pixel, or refused in one line."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.video import frames as frames_module
from magbench.video.formats import finished_sha256, open_finished, read_finished
from magbench.video.frames import FramesOnDisk
from magbench.video.io import write_lossless
from tests.encode import blocks, encode

FPS = 16


def refused(path: Path, message: str) -> None:
    with pytest.raises(MagbenchError, match=message) as caught:
        read_finished(path, FPS)
    assert "\n" not in str(caught.value)


def write_pngs(folder: Path, frames: np.ndarray, name: str = "{:04d}.png", first: int = 0) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames, first):
        picture = frame[..., [2, 1, 0, 3][: frame.shape[2]]] if frame.ndim == 3 else frame
        assert cv2.imwrite(str(folder / name.format(number)), picture)
    return folder


@pytest.mark.parametrize(
    ("name", "first"), [("{:04d}.png", 0), ("{}.png", 5), ("frame_{:03d}.PNG", 1), ("a 9-{}.png", 24)]
)
def test_pngs_are_read_by_number(tmp_path: Path, name: str, first: int) -> None:
    folder = write_pngs(tmp_path / "x", blocks(12), name, first)
    (folder / ".DS_Store").write_text("")
    assert np.array_equal(read_finished(folder, FPS), blocks(12))


def test_an_odd_size_is_read(tmp_path: Path) -> None:
    assert np.array_equal(read_finished(write_pngs(tmp_path / "x", blocks(2, 33, 47)), FPS), blocks(2, 33, 47))


def test_sixteen_bits_and_grey_are_converted(tmp_path: Path) -> None:
    deep = (np.arange(64 * 48 * 3, dtype=np.uint32) * 7).astype(np.uint16).reshape(1, 48, 64, 3)
    wanted = np.rint(deep / 257).astype(np.uint8)
    assert np.array_equal(read_finished(write_pngs(tmp_path / "deep", deep), FPS), wanted)
    grey = blocks(2)[..., 0]
    assert np.array_equal(
        read_finished(write_pngs(tmp_path / "grey", grey), FPS), np.repeat(grey[..., None], 3, axis=3)
    )


def test_alpha_is_left_out_only_if_opaque(tmp_path: Path) -> None:
    frames = np.concatenate([blocks(3), np.full((3, 48, 64, 1), 255, np.uint8)], axis=3)
    assert np.array_equal(read_finished(write_pngs(tmp_path / "opaque", frames), FPS), blocks(3))
    frames[1, 0, 0, 3] = 254
    refused(write_pngs(tmp_path / "clear", frames), r"clear/0001\.png: .* is transparent \(alpha down to 254 of 255\)")


def remove(folder: Path) -> None:
    (folder / "0002.png").unlink()


def repeat(folder: Path) -> None:
    (folder / "002.png").write_bytes((folder / "0001.png").read_bytes())


def leave_a_note(folder: Path) -> None:
    (folder / "notes.txt").write_text("")


def rename(folder: Path) -> None:
    (folder / "0003.png").rename(folder / "last_3.png")


def resize(folder: Path) -> None:
    cv2.imwrite(str(folder / "0003.png"), np.zeros((48, 32, 3), np.uint8))


def cut(folder: Path) -> None:
    path = folder / "0001.png"
    path.write_bytes(path.read_bytes()[:-30])


def flip(folder: Path) -> None:
    path = folder / "0001.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def use_jpeg(folder: Path) -> None:
    (folder / "0003.png").rename(folder / "0003.jpg")


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove, r"x: number 2 is missing between 0 and 3$"),
        (repeat, r"x/002\.png: has the same number as 0002\.png$"),
        (leave_a_note, r"x/notes\.txt: is not a PNG file whose name ends in a number"),
        (use_jpeg, r"x/0003\.jpg: is not a PNG file"),
        (rename, r"x: names start differently: '', 'last_'$"),
        (resize, r"x/0003\.png: is 32x48, not 64x48 as in the files before$"),
        (cut, r"x/0001\.png: cannot be decoded"),
        (flip, r"x/0001\.png: cannot be decoded"),
        (empty, r"x: holds no PNG file$"),
    ],
)
def test_bad_folders_of_pngs_are_refused(tmp_path: Path, damage: object, message: str) -> None:
    folder = write_pngs(tmp_path / "x", blocks(4))
    damage(folder)  # type: ignore[operator]
    refused(folder, message)


def test_a_number_from_another_world_is_not_counted_to(tmp_path: Path) -> None:
    folder = write_pngs(tmp_path / "x", blocks(2))
    (folder / "0001.png").rename(folder / f"{10**18}.png")
    refused(folder, rf"x: number 1 is missing between 0 and {10**18}$")


@pytest.mark.parametrize("array", [blocks(5), np.asfortranarray(blocks(5))], ids=["c", "fortran"])
def test_npz_is_read(tmp_path: Path, array: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, frames=array, fps=16)
    assert np.array_equal(read_finished(path, FPS), blocks(5))
    monkeypatch.setattr(frames_module, "MEMORY_BYTES", 2 * array[0].nbytes)
    long = open_finished(path, FPS)
    assert isinstance(long, FramesOnDisk)
    assert np.array_equal(long, blocks(5))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"video": blocks(2)}, r"x\.npz: holds no array 'frames' but video$"),
        ({}, r"x\.npz: (holds no array 'frames' but nothing|is not an \.npz file)"),
        ({"frames": blocks(2) / 255}, r"x\.npz: frames is float64, uint8 wanted$"),
        ({"frames": blocks(2)[0]}, r"frames has shape \(48, 64, 3\), \(T, H, W, 3\) wanted$"),
        ({"frames": blocks(2).transpose(0, 3, 1, 2)}, r"frames has shape \(2, 3, 48, 64\), \(T, H, W, 3\) wanted$"),
        ({"frames": blocks(2)[:0]}, r"x\.npz: holds no frame, frames has shape \(0, 48, 64, 3\)$"),
        ({"frames": np.array([{"a": 1}])}, r"x\.npz: cannot be read as \.npz \(Object arrays cannot be loaded"),
    ],
)
def test_bad_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    refused(path, message)


class Bomb:
    """What a pickle may do when it is opened."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("pickled"),)  # type: ignore[return-value]


def test_no_pickle_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", frames=np.array([Bomb()], dtype=object))
    refused(tmp_path / "x.npz", "Object arrays cannot be loaded")
    (tmp_path / "y.npz").write_bytes(pickle.dumps(Bomb()))
    refused(tmp_path / "y.npz", r"y\.npz: is not an \.npz file, or was cut off$")
    assert not (tmp_path / "pickled").exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_an_npz_that_was_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, frames=blocks(5))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, r"x\.npz: is not an \.npz file, or was cut off$")


def test_a_damaged_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, frames=blocks(5))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    refused(path, r"x\.npz: cannot be read as \.npz")


def test_only_a_video_file_has_a_rate_of_its_own(tmp_path: Path) -> None:
    refused(encode(tmp_path / "x.mp4", blocks(4), rate=24), "has 24 frames per second, 16 wanted")
    refused(encode(tmp_path / "x.WEBM", blocks(4), "libvpx", rate=24), "has 24 frames per second, 16 wanted")
    assert len(read_finished(write_pngs(tmp_path / "x", blocks(4)), 16)) == 4


def test_the_hash_names_the_content(tmp_path: Path) -> None:
    write_lossless(tmp_path / "x.mkv", blocks(4), 16)
    folder = write_pngs(tmp_path / "x", blocks(4))
    first = {path: finished_sha256(path) for path in (tmp_path / "x.mkv", folder)}
    assert first == {path: finished_sha256(path) for path in first}
    (folder / "0001.png").write_bytes((folder / "0002.png").read_bytes())
    assert finished_sha256(folder) != first[folder]
    refused(tmp_path / "gone.mkv", r"gone\.mkv: no such file")
