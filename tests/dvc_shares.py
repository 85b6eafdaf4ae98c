"""Checkouts of a study that is shared through DVC: the author's with everything, and clones of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pythons
from checkouts import Checkout

WHO = {
    f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


class Share(Checkout):
    """A git repository with the project in it, and what people do there."""

    said = ""  # by the last command

    def run(self, *command: str, **settings: str) -> int:
        env = os.environ | {"PYTHONPATH": str(self.folder / "src")} | WHO | settings
        if command[0] == sys.executable:
            done = pythons.run(command, self.folder, pythons.quick_python(env))
        else:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=env)
        self.said = done.stdout + done.stderr
        return done.returncode

    def do(self, *command: str) -> str:
        assert self.run(*command) == 0, self.said
        return self.said

    def dvc(self, *arguments: str) -> str:
        return self.do(sys.executable, "-m", "dvc", *arguments)

    def script(self, name: str, *arguments: str) -> str:
        """What a script of the checkout says; it must succeed."""
        return self.do(sys.executable, f"tools/{name}.py", *arguments)

    def refused(self, name: str, *arguments: str) -> str:
        """What a script says that must stop with one line for the user."""
        assert self.run(sys.executable, f"tools/{name}.py", *arguments) == 2, self.said
        assert "Traceback" not in self.said
        return self.said

    def commit(self, message: str) -> None:
        self.do("git", "add", "--all")
        self.do("git", "commit", "--quiet", f"--message={message}")

    def clone(self, folder: Path) -> "Share":
        """A fresh clone that knows the same remote."""
        self.do("git", "clone", "--quiet", ".", str(folder))
        shutil.copy2(self.folder / ".dvc/config.local", folder / ".dvc/config.local")
        return Share(folder)

    def copy(self, folder: Path) -> "Share":
        return Share(shutil.copytree(self.folder, folder, symlinks=True))

    def remote(self, url: str, **settings: str) -> None:
        self.dvc("remote", "add", "--local", "--default", "--force", "storage", url)
        for name, value in settings.items():
            self.dvc("remote", "modify", "--local", "storage", name, value)

    def products(self) -> set[str]:
        """Paths of all files that DVC could have brought."""
        folders = [self.folder / "results", self.folder / "data"]
        found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
        tracked = set(self.do("git", "ls-files", "data").split())
        return {path.relative_to(self.folder).as_posix() for path in found} - tracked
