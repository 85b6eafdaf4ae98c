"""What a study may not say, and how it is told so: file, key, what is allowed, the nearest known name."""

import pytest
import yaml
from studies import ROOT, corruption, given, refused

from directions.core.errors import InputError
from directions.study import config, schema


def test_an_unknown_study_names_the_files(clone):
    (clone / "configs/Mine-2.yaml").write_text("")
    known = "Mine-2, cifar, cifar_full, jpeg_loss, laptop, paper, quick"
    with pytest.raises(InputError, match=rf"did you mean quick\?; configs/ has {known}$"):
        config.load(given(study="quikc"), clone)
    with pytest.raises(InputError, match="lower-case"):
        config.load(given(study="Mine-2"), clone)
    for wrong in (None, 3, ["quick"], "../configs/quick"):
        with pytest.raises(InputError, match="study: .* is unknown"):
            config.load(given() | {"study": wrong}, clone)


def nested(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("presision", "precision"),
        ("sources.mnistt", "mnist"),
        ("imagefolder.sise", "size"),
        ("defaults.trainings", "training"),
        ("defaults.training.epoch", "epochs"),
        ("defaults.ablate_cumulative.point", "points"),
        ("defaults.ablate_cumulative.layer", "layers"),
        ("defaults.ablate_checkpoints.ordering", "orderings"),
        ("defaults.select_settings.subset", "subsets"),
        ("defaults.training.batch_norms", "batch_norm"),
        ("defaults.add_noise.repeat", "repeats"),
        ("defaults.ablate_single.splits", "split"),
        ("defaults.measure_units.bin", "bins"),
        ("experiments.mnist_corruption.analysis", "analyses"),
        ("experiments.mnist_corruption.training.epoch", "epochs"),
        ("experiments.mnist_corruption.vary.seeds", "seed"),
        ("experiments.mnist_corruption.ablate_cumulative.ordering", "orderings"),
        ("experiments.mnist_corruption.add_noise.low", "lowest"),
    ],
)
def test_a_typo_at_every_level_names_the_nearest_key(path, known):
    message = refused(**nested(path, 1))
    assert (
        f"{path} (in config.yaml, --configfile or the command line): unknown key; did you mean {known}?"
        in message
    )


def test_settings_that_cannot_be_varied():
    message = refused(**corruption(vary={"keep_epochs": [1]}))
    assert "experiments.mnist_corruption.vary.keep_epochs" in message


def test_all_that_is_wrong_is_said_at_once_with_its_file(clone):
    (clone / "configs/mine.yaml").write_text("defaults: {training: {epochs: 0}}\n")
    over = {"experiments": {"mnist_corruption": {"training": {"dropout": 1.0}}}}
    with pytest.raises(InputError) as caught:
        config.load(given(study="mine", device="gpu", **over), clone)
    lines = str(caught.value).splitlines()[1:]
    here = "in config.yaml, --configfile or the command line"
    assert sorted(line.split(" is ")[0] for line in lines) == [
        "  defaults.training.epochs (in configs/mine.yaml): 0",
        f"  device ({here}): 'gpu'",
        f"  experiments.mnist_corruption.training.dropout ({here}): 1.0",
    ]


@pytest.mark.parametrize(
    ("path", "value", "allowed"),
    [
        ("device", "gpu", "auto, cpu, cuda or cuda:N"),
        ("precision", "float16", "float32 or bf16"),
        ("paper_curves", "no", "true (draw the paper's own curves behind ours) or false"),
        ("data_root", "", "a folder"),
        ("data_root", 2024, "a folder"),
        ("figures", [], "all, or figure names"),
        ("figures", 1, "all, or figure names"),
        ("sources.mnist", [], "a list"),
        ("sources.mnist", ["local", "local"], "each once"),
        ("sources.cifar10", ["wheel"], "local, mirror"),
        ("imagefolder", {"path": "x", "size": 0}, "a whole number >= 1"),
        ("defaults.training.dataset", "mnits", "did you mean mnist?"),
        ("defaults.training.images", 0, "all, or a whole number >= 1"),
        ("defaults.training.images", "some", "all, or a whole number >= 1"),
        ("defaults.training.model", "mpl", "did you mean mlp?"),
        ("defaults.training.hidden", 128, "a list of layer widths"),
        ("defaults.training.hidden", [], "a list of layer widths"),
        ("defaults.training.hidden", [0], "a whole number >= 1"),
        ("defaults.training.pad", -1, "a whole number >= 0"),
        ("defaults.training.width", 0, "a number > 0"),
        ("defaults.training.width", -0.5, "a number > 0"),
        ("defaults.training.batch_norm", 1, "true or false"),
        ("defaults.training.batch_norm", "no", "true or false"),
        ("defaults.training.optimizer", "sdg", "did you mean sgd?"),
        ("defaults.training.learning_rate", 0, "a number > 0"),
        ("defaults.training.momentum", 1, "a number >= 0 and < 1"),
        ("defaults.training.weight_decay", -0.1, "a number >= 0"),
        ("defaults.training.batch", 0, "a whole number >= 1"),
        ("defaults.training.epochs", 2.5, "a whole number >= 1"),
        ("defaults.training.dropout", 1.0, "a number >= 0 and < 1"),
        ("defaults.training.corrupt", -0.2, "a share from 0 to 1"),
        ("defaults.training.corrupt", 1.01, "a share from 0 to 1"),
        ("defaults.training.seed", -1, "a whole number >= 0"),
        ("defaults.training.keep_epochs", [1, 1], "each once"),
        ("defaults.training.evaluate_every", 0, "a whole number >= 1"),
        ("defaults.training.require_train_accuracy", 99, "a share > 0 and <= 1, or null"),
        ("defaults.ablate_cumulative.split", "validation", "train or test"),
        ("defaults.ablate_cumulative.clamp", "zero", "a list"),
        ("defaults.ablate_cumulative.clamp", ["median"], "zero or mean"),
        ("defaults.ablate_cumulative.points", 1, "all, or a whole number >= 2"),
        ("defaults.ablate_cumulative.layers", 0, "all, or a whole number >= 1"),
        ("defaults.ablate_cumulative.layers", "last", "all, or a whole number >= 1"),
        ("defaults.ablate_checkpoints.layers", 2.5, "all, or a whole number >= 1"),
        ("defaults.ablate_checkpoints.layers", "relu1", "or a list of layers by name or pattern"),
        ("defaults.ablate_cumulative.layers", [], "or a list of layers by name or pattern"),
        ("defaults.ablate_cumulative.layers", [3], "or a list of layers by name or pattern"),
        ("defaults.ablate_checkpoints.images", 0, "all, or a whole number >= 1"),
        ("defaults.training.keep_every", 0, "a whole number >= 1 (steps), or null"),
        ("defaults.ablate_checkpoints.points", 1, "all, or a whole number >= 2"),
        ("defaults.select_settings.subsets", 0, "a whole number >= 1"),
        ("defaults.add_noise.points", 1, "a whole number >= 2"),
        ("defaults.add_noise.lowest", 0, "a number > 0"),
        ("defaults.measure_units.bins", 1, "a whole number >= 2"),
        ("experiments.mnist_corruption.vary", {"corrupt": None, "seed": None}, "seed: [0] for a single run"),
        ("experiments.mnist_corruption.vary.seed", [], "a list of one or more values"),
        ("experiments.mnist_corruption.vary.seed", 3, "a list of one or more values"),
        ("experiments.mnist_corruption.vary.corrupt", [0.5, 1.5], "a share from 0 to 1"),
        ("experiments.conv_normalization.vary.batch_norm", [1, 0], "true or false"),
        ("experiments.mnist_corruption.analyses", ["add_noisse"], "did you mean add_noise?"),
        ("experiments.mnist_corruption.analyses", ["add_noise", "add_noise"], "each once"),
        ("experiments.no-path", {"vary": {"seed": [0]}, "analyses": ["add_noise"]}, "lower-case letters"),
        ("draw.fig77a", "mnist_corruption", "did you mean fig7a?"),
        ("draw.fig1a", ["mnist_corruption"], "the name of an experiment"),
    ],
)  # fmt: skip
def test_values_that_are_not_allowed(path, value, allowed):
    message = refused(**nested(path, value))
    # Names in a mapping are refused at the mapping, items of a list at their number.
    where = path if path.split(".")[-1] not in ("no-path", "fig77a") else path.rsplit(".", 1)[0]
    assert f"  {where}" in message
    assert "is refused: allowed is" in message
    assert allowed in message


@pytest.mark.parametrize("value", [True, False, float("nan"), float("inf"), "many", [1], {"a": 1}, None])
@pytest.mark.parametrize("key", ["epochs", "learning_rate", "corrupt", "images"])
def test_what_is_no_number_is_refused_as_one(key, value):
    message = refused(study="paper", defaults={"training": {key: value}})
    assert f"defaults.training.{key}" in message
    assert ("YAML reads yes" in message) == isinstance(value, bool)


@pytest.mark.parametrize(
    ("word", "number"),
    [("1e-3", "1.0e-3"), ("1e3", "1.0e+3"), ("1.e3", "1.0e+3"), ("2.5E3", "2.5e+3"), (".5e3", "0.5e+3"),
     ("5", "5"), ("0.1", "0.1"), (".5", "0.5"), ("5.", "5.0"), ("+1e-2", "+1.0e-2")],
)  # fmt: skip
def test_numbers_that_are_text_are_told_apart(word, number):
    assert f"write {number} without quotes" in refused(**corruption(training={"learning_rate": word}))
    assert yaml.safe_load(number) == float(word)  # the way out leads out


@pytest.mark.parametrize("word", ["", ".", "e3", "-", "1e", "0x10", "1_000", "ten", "1.2.3"])
def test_other_words_are_not_taken_for_numbers(word):
    assert schema.yaml_number(word) is None


def test_yaml_itself_has_the_trap():
    assert yaml.safe_load("1e-3") == "1e-3"


def test_a_missing_key_and_a_misspelt_experiment():
    without = given()
    del without["device"]
    del without["sources"]["mnist"]
    with pytest.raises(InputError) as caught:
        config.load(without, ROOT)
    lacking = [line.split("lacks ")[1] for line in str(caught.value).splitlines()[1:]]
    assert lacking == ["device", "mnist"]
    message = refused(experiments={"mnist_coruption": {"training": {"epochs": 3}}})
    assert (
        "experiments.mnist_coruption (in config.yaml, --configfile or the command line): lacks vary"
        in message
    )
    assert "did you mean mnist_corruption?" in message


def test_keys_that_are_no_text_are_named():
    message = refused(experiments={1: {}, "mnist_corruption": {"training": {False: 3}}})
    assert "experiments.1 (in" in message
    assert "experiments.mnist_corruption.training.False (in" in message


def test_a_study_may_not_set_what_the_user_sets(clone):
    (clone / "configs/mine.yaml").write_text("device: cpu\nexperiment: {}\n")
    with pytest.raises(InputError) as caught:
        config.load(given(study="mine"), clone)
    assert "device (in configs/mine.yaml): a study may not set it" in str(caught.value)
    assert "experiment (in configs/mine.yaml): a study may not set it; did you mean exp" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "not readable YAML"),
        ("- a\n- b\n", "holds a list"),
        ("defaults: {}\ndefaults: {}\n", "'defaults' appears twice"),
        ("draw:\n  fig1a: a\n  fig1a: b\n", "'fig1a' appears twice"),
        (b"\xff\xfe\x00", "not readable YAML"),
    ],
)
def test_files_that_cannot_be_read(clone, content, message):
    path = clone / "configs/mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        config.load(given(study="mine"), clone)
    assert "mine.yaml" in str(caught.value)


def test_an_empty_study_is_the_papers(clone):
    (clone / "configs/mine.yaml").write_text("# nothing yet\n")
    mine, paper = (config.load(given(study=name), clone) for name in ("mine", "paper"))
    assert mine | {"study": "paper"} == paper


def test_a_missing_base_is_named(clone):
    (clone / "configs/paper.yaml").unlink()
    with pytest.raises(InputError, match="paper.yaml does not exist"):
        config.load(given(study="quick"), clone)
