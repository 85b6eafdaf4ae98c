"""Import a network of your own: check its factory, weights and layers, and write a model file."""

import json
import logging
from pathlib import Path

from directions import data
from directions.analyses import describe
from directions.analyses import network as trained_network
from directions.core import cli
from directions.core.files import atomic
from directions.data import labels
from directions.models import files as model_files
from directions.models import user as user_model

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__, compute=True)
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--model", required=True, help="weights to write, safetensors")
    parser.add_argument(
        "--ledger", required=True, help="Parquet file to write: training images used and their labels"
    )
    parser.add_argument("--record", required=True, help="JSON to write: sizes, scores")
    args = parser.parse_args(argv)
    device = cli.prepare_torch(args.device, args.threads)
    settings = cli.settings(args.asked)

    dataset = data.load(args.data)
    train, test = (user_model.at_most(settings[f"{split}_images"], dataset, split) for split in data.SPLITS)
    labels.save(args.ledger, labels.ledger(dataset.train_labels, dataset.name, train, 0.0, settings["seed"]))
    shape = dataset.train_images.shape[1:]
    imported = user_model.imported(settings, shape).state_dict()
    state = {name: value.clone() for name, value in imported.items()}
    model_files.save(args.model, state, user_model.header(settings, shape, dataset.classes, test))

    found = trained_network.read(
        args.model, args.data, args.ledger, device, args.threads - 1, code=settings["build"]
    )
    sizes = ", ".join(f"{layer} ({units} units)" for layer, units in found.layers.items())
    log.info("%s: %s", settings["network"], sizes)
    made = describe.record(settings["network"], found, *map(found.examples, data.SPLITS), dataset.name)
    with atomic(args.record) as partial:
        partial.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    cli.start(main)
