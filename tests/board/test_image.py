"""The board's image: what is in it, and that its read-only file system is MicroPython's. D25."""

import subprocess
from pathlib import Path

import pytest

from tools import image, romfs
from tools.image import micropython


def test_romfs_is_read_by_the_interpreter_itself(tmp_path: Path) -> None:
    files = {"a.txt": b"x", "lib/deep/b.bin": bytes(range(256)) * 3, "lib/empty": b"", "z" * 130: b"long name"}
    (tmp_path / "rom").write_bytes(romfs.build(files))
    script = (
        "import os, vfs\n"
        f"vfs.mount(vfs.VfsRom(memoryview(open('{tmp_path}/rom', 'rb').read())), '/rom')\n"
        "print(sorted(os.listdir('/rom')) == ['a.txt', 'lib', 'z' * 130])\n"
        "print(open('/rom/lib/deep/b.bin', 'rb').read() == bytes(range(256)) * 3)\n"
        "print(open('/rom/lib/empty').read() == '')\n"
    )
    done = subprocess.run([str(micropython()), "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["True"] * 3, done.stderr


def test_a_path_through_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="is a file"):
        romfs.build({"a": b"", "a/b": b""})


def test_d25_the_software_id_changes_with_every_byte_and_every_name() -> None:
    ids = {image.software_id(files) for files in ({"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b""})}
    assert len(ids) == 4
    assert image.software_id({"a": b"1", "b": b"2"}) == image.software_id({"b": b"2", "a": b"1"})


def test_d25_the_id_on_the_board_is_the_hash_of_the_files_on_it() -> None:
    built = image.cached()
    files = {name: data for name, data in built.files().items() if name != "software"}
    assert built.software_id == image.software_id(files | built.modules()) == built.files()["software"].decode()
    assert {"boot.py", "main.py"} <= set(files)


def test_a_module_that_does_not_compile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken.py"):
        image.compile_module("def f(:\n", tmp_path / "broken.mpy", "broken.py")
