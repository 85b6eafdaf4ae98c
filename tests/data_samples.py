"""Small files in exactly MNIST's format, and servers that hand them out well or badly."""

import gzip
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

from directions.core.files import md5
from directions.data.mnist import files
from directions.data.registry import KNOWN
from directions.data.specs import Request

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
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in PLAIN.items()}
FIRST = "train-images-idx3-ubyte.gz"
OTHER = gzip.compress(idx(np.zeros((6, 28, 28), np.uint8)), mtime=0)  # a whole file, but another one


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


def photo(path, seed, size=(40, 30), mode="RGB"):
    """An image of blurred colours, no two alike, in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode).save(path)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


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
