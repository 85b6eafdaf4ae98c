"""Config files as they are, before they are merged: keys named twice, anchors, sizes, words for figures."""

import re

import pytest
from studies import ROOT, given, load, refused

from directions.core.errors import InputError
from directions.study import config, config_files


@pytest.mark.parametrize(("content", "said"), [
    ("a:\n  b: 1\n  b: 2\n", "line 3: key 'b' appears twice in one mapping"),
    ("own:\n  networks:\n    a: {x: 1}\n    c: {}\n    a: {x: 2}\n", "line 5: key 'a' appears twice"),
    ('{"a": 1,\n "a": 2}', "key 'a' appears twice in one mapping"),
    ("x: &e {y: *e}\n", "line 1: an anchor that contains itself"),
    ("a: 1\nx: &e [1, [*e]]\n", "line 2: an anchor that contains itself"),
    ("x: &e\n  <<: *e\n", "line 1: an anchor that contains itself"),
    ("[" * 5000, "nested too deeply"),
    ("a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
     "expand to more than 100000 values"),
])  # fmt: skip
def test_a_file_that_snakemake_would_take_or_never_end_with_is_refused(tmp_path, content, said):
    path = tmp_path / "over.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=f"config file {path}.*{said}"):
        config_files.check_files([ROOT / "config.yaml", path])


@pytest.mark.parametrize(("words", "said"), [
    ("--config study=quick --cores 2 --config figures=fig5a", "--config appears twice"),
    ("-C study=quick --config=figures=fig5a", "--config appears twice"),
    ("--configfile a.yaml --configfiles b.yaml", "write --configfile a.yaml b.yaml"),
    ("-n --config study=quick study=paper -- all", "--config study: appears twice"),
    ("--config=study=quick study=paper", "--config study: appears twice"),
    ("--config draw={fig5a:a,fig5a:b}", "--config draw: key 'fig5a' appears twice"),
    ("--config draw=&r{fig5a:*r}", "--config draw: an anchor that contains itself"),
])  # fmt: skip
def test_a_command_line_of_which_snakemake_would_heed_a_part_is_refused(words, said):
    arguments = [word.replace(":", ": ").replace("&r", "&r ") for word in words.split()]
    with pytest.raises(InputError, match=said):
        config_files.check_arguments(arguments)


def test_a_command_line_as_it_is_meant_passes():
    words = [
        "--config",
        "study=quick",
        "figures=[fig5a,",
        "draw={a: {x: 1}, b: {x: 1}}",
        "-n",
        "--",
        "study=quick",
    ]
    config_files.check_arguments([*words, "--configfile", "a.yaml", "b.yaml"])
    config_files.check_arguments([])


def test_what_is_meant_passes(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &a {b: 1}\nc: {<<: *a, b: 2}\nd: [*a, *a]\n")
    (tmp_path / "b.json").write_text('{\n\t"a": {"b": 1},\n\t"c": {"b": 1}\n}')
    config_files.check_files([tmp_path / "a.yaml", tmp_path / "b.json"])
    assert config_files.read_yaml(tmp_path / "a.yaml")["c"] == {"b": 2}


def test_an_anchor_within_itself_is_refused_in_a_study(clone):
    (clone / "configs/mine.yaml").write_text("draw: &r {fig4a: *r}\n")
    with pytest.raises(InputError, match="configs/mine.yaml, line 1: an anchor that contains itself"):
        config.load(given(study="mine"), clone)


@pytest.mark.parametrize("words", ["[fig5a", "fig5a]", "fig5a,,", ",fig5a", "fig5a,,fig6a", "[[fig5a]]"])
def test_figures_that_are_half_written_are_refused(words):
    assert f"{words!r} is refused: allowed is all, or figure names" in refused(figures=words)


@pytest.mark.parametrize("words", ["fig5a, fig6a", "[fig5a,fig6a]", " [ fig5a ,fig6a ] "])
def test_figures_are_read_with_and_without_brackets(words):
    assert load(study="paper", figures=words)["figures"] == ["fig5a", "fig6a"]


@pytest.mark.parametrize(("path", "value", "most"), [
    ("defaults.training.epochs", 1e23, "1e9"),
    ("defaults.training.hidden", [10**11], "1e6"),
    ("defaults.training.seed", 2**63, "9223372036854775807"),
    ("defaults.training.width", 1e11, "1000"),
    ("defaults.training.steps", 10**12, "1e9"),
    ("defaults.ablate_cumulative.points", 10**11, "1e9"),
    ("defaults.measure_units.bins", 1e30, "1e9"),
    ("imagefolder", {"path": "x", "size": 10**7}, "1e5"),
])  # fmt: skip
def test_sizes_that_no_machine_has_are_refused(path, value, most):
    over = value
    for key in reversed(path.split(".")):
        over = {key: over}
    assert f"at most {most}" in refused(**over)


def test_the_largest_seed_is_one():
    over = {"mnist_corruption": {"vary": {"seed": [2**63 - 1]}}}
    assert load(study="paper", experiments=over)["experiments"]["mnist_corruption"]["vary"]["seed"]


@pytest.mark.parametrize(
    "root", ["a b", "q$(touch PWNED)", "a;b", "{x}", "-raw", "~/data", "a'b", "a\n", "", "`x`"]
)
def test_a_folder_of_data_that_a_shell_would_read_is_refused(root):
    assert "data_root (in config.yaml, --configfile or the command line)" in refused(data_root=root)


@pytest.mark.parametrize("root", ["data", "/scratch/me/data-2", "../été_1.0"])
def test_other_folders_of_data_pass(root):
    assert load(data_root=root)["data_root"] == root


def test_a_repository_in_a_folder_with_braces_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"a\{3\}b has braces in its path.*: rename it"):
        config.load(given(), tmp_path / "a{3}b")


def test_every_value_in_a_shell_is_quoted_or_cannot_need_it():
    """Names of the study, of runs, networks and figures are held to patterns; so is `data_root`.

    `params.code` is a digest and names of our own modules; `params.unchanged` and `params.imagefolder` are
    quoted where they are made.
    """
    safe = {
        "threads", "log", "output", "table", "wildcards.dataset", "params.study", "params.figure",
        "params.tables", "params.resume", "params.known", "params.imagefolder", "params.code",
        "params.unchanged",
        "resources.device", "resources.raw", "resources.sources", "resources.nodes", "resources.processes",
        "input.code[0]", "TRAIN",  # whose lines are looked at themselves
    }  # fmt: skip
    for rules in sorted((ROOT / "rules").glob("*.smk")):
        for text in re.findall(
            r'^ {4,8}f?"(?:python | --| > |scripts/).*"$', rules.read_text(), re.MULTILINE
        ):
            for value in re.findall(r"(?<!\{)\{([\w.\[\]:]+)\}(?!\})", text):
                known = value in safe or value.endswith(":q") or value.split(".")[0] in ("input", "output")
                assert known, f"{rules.name}: {value}"
