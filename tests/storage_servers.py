"""Servers on this machine that speak S3 and SSH, for as long as a test needs them."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import boto3
from moto.server import ThreadedMotoServer

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "whose-secret", "AWS_DEFAULT_REGION": "us-east-1"
}  # fmt: skip


@contextmanager
def s3(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(address of an empty bucket, settings of DVC's remote); credentials go into the environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    before = dict(os.environ)
    os.environ.update(CREDENTIALS)
    try:
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
        boto3.client("s3").create_bucket(Bucket="shared")
        yield "s3://shared/directions", {}
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.stop()


@contextmanager
def ssh(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(address of a folder on an SSH server, settings of DVC's remote): the key of the one user it knows."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(folder / "key"))
    key.write_public_key(str(folder / "key.pub"))
    loop = asyncio.new_event_loop()
    serving = asyncssh.listen(
        "127.0.0.1", 0, sftp_factory=True, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=str(folder / "key.pub"),
    )  # fmt: skip
    server = loop.run_until_complete(serving)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"ssh://someone@127.0.0.1:{server.get_port()}{folder}/storage", {"keyfile": str(folder / "key")}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
