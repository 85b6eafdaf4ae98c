"""Plan the jobs of the own networks in the config: the files that each needs, and job fingerprints."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from directions.core import user_functions
from directions.core.errors import InputError
from directions.core.files import contents
from directions.core.suggest import nearest
from directions.data import imagefolder
from directions.data.registry import KNOWN
from directions.data.specs import ARRAYS, FOLDER
from directions.study import needs, schema
from directions.study.catalogue import ANALYSES, OWN_ANALYSES, PAPER, SPECS
from directions.study.fingerprints import said

OF_NETWORK = (
    "build",
    "weights",
    "layers",
    "normalize",
    "train_images",
    "test_images",
    "seed",
)  # for the import

# Defaults: as in the paper, but with fewer images, orderings and points.
DEFAULTS = {
    "analyses": [name for name in OWN_ANALYSES if name in PAPER],
    "train_images": 2000,
    "test_images": 2000,
    "seed": 0,
    **{name: SPECS[name].defaults for name in OWN_ANALYSES},
}


def merged(base: dict, over: dict) -> dict:
    """Merge `over` into `base`, setting by setting within each analysis."""
    return base | over | {key: base[key] | over.get(key, {}) for key in OWN_ANALYSES}


def check_settings(settings: dict) -> None:
    """Raise InputError naming all settings of a network that would be refused in a config."""
    known = schema.read()
    network = {"additionalProperties": False, "$defs": known["$defs"]}
    every = known["$defs"]["own_network"]["properties"]
    network["properties"] = {key: every[key] for key in (*DEFAULTS, "normalize")}
    plain = json.loads(json.dumps(settings, default=_plain))  # tuples become lists, too
    faults = [f"{schema.dotted(keys)}: {message}" for keys, message in schema.problems(plain, network)]
    if faults := faults or list(needs.together(merged(DEFAULTS, plain))):
        raise InputError("; ".join(faults))


def _plain(value: object) -> object:
    """Convert numbers and arrays of NumPy and PyTorch to plain Python."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def completed(own: dict) -> dict[str, dict]:
    """Return {network: all its settings} from the config's block `own`, with common settings and defaults."""
    common = merged(DEFAULTS, {key: value for key, value in own.items() if key != "networks"})
    return {name: merged(common, entry) for name, entry in own.get("networks", {}).items()}


def problems(own: dict) -> Iterator[str]:
    """Yield problems in a block `own` that its schema does not catch."""
    for name, entry in completed(own).items():
        path = f"own.networks.{name}"
        references = {"build": entry["build"]}
        data = entry["data"]
        if isinstance(data, dict) and set(data) not in (set(ARRAYS), set(FOLDER)):
            yield f"{path}.data: needs {', '.join(ARRAYS)}, or {' and '.join(FOLDER)}; has {', '.join(data)}"
        elif isinstance(data, str) and ":" in data:
            references["data"] = data
        elif isinstance(data, str) and (data == "imagefolder" or data not in KNOWN):
            known = [known for known in KNOWN if known != "imagefolder"]
            yield (
                f"{path}.data: {data} is not a data set{nearest(data, known)}; there are"
                f" {', '.join(known)}, file.py:function, {{{', '.join(ARRAYS)}}} and {{imagefolder, size}}"
            )
        for key, reference in references.items():
            try:
                yield from _braces(f"{path}.{key}", user_functions.files(reference))
            except InputError as error:
                yield f"{path}.{key}: {error}"
        for key, file in _named(entry).items():
            if not Path(file).expanduser().exists():
                yield f"{path}.{key}: there is no {file} (looked for in {Path.cwd()})"
            elif key == "data.imagefolder":
                try:
                    listed(file)
                except InputError as error:
                    yield f"{path}.{key}: {error}"
            elif key != "data.imagefolder":
                yield from _braces(f"{path}.{key}", [file])
        yield from (f"{path}.{fault}" for fault in needs.together(entry))


def _braces(key: str, files: list[str]) -> Iterator[str]:
    """Yield problems with the names of files that become inputs of jobs."""
    for file in files:
        if set("{}") & set(str(Path(file).expanduser())):
            yield f"{key}: {file} has braces in its path, which are wildcards to Snakemake: rename it"


def _named(entry: dict) -> dict[str, str]:
    """Return {key of the config: file or folder} for the paths that an entry names directly."""
    data = entry["data"] if isinstance(entry["data"], dict) else {}
    found = {"weights": entry["weights"]} if entry.get("weights") else {}
    found |= {f"labels.{split}": file for split, file in entry.get("labels", {}).items()}
    return found | {f"data.{key}": data[key] for key in (*ARRAYS, "imagefolder") if key in data}


def listed(folder: str) -> str:
    """Return a digest for a folder of images, as `imagefolder.state` computes it."""
    return imagefolder.state(Path(folder).expanduser())


class Plan:
    """The networks of a validated config, {name: all settings}, and the jobs that they need."""

    def __init__(self, own: dict, code: Callable[[str], str] = lambda _stage: ""):
        """Take the config's block `own`; code: stage -> digest of its code (see deciding_files.py)."""
        self.networks = completed(own)
        self._code = code
        self.data: dict[str, str | dict] = {}  # {name: entry}: the user's own data sets, each once
        for network, entry in self.networks.items():
            if (name := self.data_name(network)) and name not in self.data:
                self.data[name] = entry["data"]

    def data_name(self, network: str) -> str | None:
        """Return the file name for a network's own data, without labels; None for a known data set.

        Networks with the same data share it.
        """
        data = self.networks[network]["data"]
        if isinstance(data, str) and ":" not in data:
            return None
        if isinstance(data, str):
            word = Path(data.rpartition(":")[0]).stem
        elif "imagefolder" in data:
            word = f"{Path(data['imagefolder']).name}_{data['size']}"
        else:
            word = Path(data["train_images"]).stem
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:6]
        return f"{re.sub('[^A-Za-z0-9_]', '_', word)}-{digest}"

    def shape(self, network: str) -> list[int] | None:
        """Return the shape of an image, if it is known before the data are prepared."""
        data = self.networks[network]["data"]
        if isinstance(data, dict):
            return [3, data["size"], data["size"]] if "imagefolder" in data else None
        known = KNOWN[data].shape if data in KNOWN else None
        return list(known) if known else None

    def files(self, network: str) -> list[str]:
        """Return the user's files that define the network: factory, its imports, weights."""
        entry = self.networks[network]
        weights = [str(Path(entry["weights"]).expanduser())] if entry.get("weights") else []
        return user_functions.files(entry["build"]) + weights

    def data_files(self, data: str) -> list[str]:
        """Return the user's files for this data set; a folder of images is part of `asked`, see `listed`."""
        entry = self.data[data]
        if isinstance(entry, str):
            return user_functions.files(entry)
        return [str(Path(entry[name]).expanduser()) for name in ARRAYS if name in entry]

    def label_files(self, network: str) -> list[str]:
        """Return the user's label files that replace the labels of the data."""
        return [str(Path(file).expanduser()) for file in self.networks[network].get("labels", {}).values()]

    def tables(self, network: str) -> list[str]:
        """Return the tables of a network, including those derived from others."""
        tables = ["runs", *(ANALYSES[analysis] for analysis in self.networks[network]["analyses"])]
        return tables + (["areas"] if "ablation" in tables else [])

    def asked(self, stage: str, network: str = "", table: str = "", data: str = "", **_: str) -> str:
        """Return the fingerprint of a job, in the form of `provenance.Ancestry.asked`.

        base(data) · data(network) · trial(network) · import(network) · each analysis(network) ·
        collect(network, table) · areas(network) · summary(network) · comparison().
        """
        if stage == "comparison":
            return self._say(stage, {}, {name: self.asked("summary", name) for name in self.networks})
        if stage == "base":
            return self._say("data", self._content(self.data[data], {}), None, self.data_files(data))
        entry = self.networks[network]
        if stage == "data":
            made = self.data_name(network)
            files = (self.data_files(made) if made else []) + self.label_files(network)
            return self._say(stage, self._content(entry["data"], entry.get("labels", {})), None, files)
        if stage == "trial":
            settings = {key: entry.get(key) for key in ("build", "weights", "layers")}
            settings |= {"network": network, "shape": self.shape(network)}
            return self._say(stage, settings, None, self.files(network))
        if stage == "import":
            settings = {key: entry.get(key) for key in OF_NETWORK} | {"network": network}
            return self._say(stage, settings, self.asked("data", network), self.files(network))
        if stage in ANALYSES:
            return self._say(stage, entry[stage], self.asked("import", network), code=entry["build"])
        if stage == "collect":
            source = next((name for name, made in ANALYSES.items() if made == table), "import")
            settings = {"experiment": "own", "runs": {network: {}}, "table": table}
            return self._say(stage, settings, self.asked(source, network))
        if stage == "areas":
            upstream = [self.asked("collect", network, name) for name in ("ablation", "runs")]
            return self._say(stage, {}, upstream)
        if stage == "summary":
            shown = [name for name in self.tables(network) if name != "areas"]
            upstream = [self.asked("collect", network, name) for name in shown]
            return self._say(stage, {"network": network}, upstream)
        raise KeyError(stage)

    @staticmethod
    def _content(data: str | dict, labels: dict) -> dict:
        """Return the settings that define data and labels."""
        folder = data.get("imagefolder") if isinstance(data, dict) else None
        tree = {"files": listed(folder)} if folder else {}
        return {"data": data, "labels": labels, **tree}

    def _say(
        self, stage: str, settings: dict, upstream: object, files: Sequence[str] = (), **more: str
    ) -> str:
        digests = [self._code(stage), contents(files) if files else ""]
        return said(stage, settings, upstream, files=" ".join(filter(None, digests)), **more)
