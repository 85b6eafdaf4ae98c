"""One network on several GPUs, of one node and of two."""

NETWORK = "results/tiny/models/conv_corruption/corrupt-0.0_seed-0/model.safetensors"
ONE_NODE = "    gpu: 2\n    processes: 2\n"
TWO_NODES = "    nodes: 2\n    mpi: srun\n    tasks: 2\n    tasks_per_gpu: 0\n    gres: gpu:1\n"


def test_two_processes_train_the_same_network_on_one_node_on_two_and_without_slurm(study, cluster):
    """Batches of 20, of which each process takes 10 images."""
    trained, before, threads = {}, "    gpu: 4\n    processes: 4\n", 32
    for asked, nodes, gpus, on_node in ((ONE_NODE, "1", {"0,1"}, 2), (TWO_NODES, "2", {"0"}, 1)):
        study.resources(before, asked)
        study.resources(f"train_distributed: {threads}", f"train_distributed: {on_node}")
        before, threads = asked, on_node
        assert study.run("--forcerun", "train_distributed", "--", NETWORK, seconds=300) == 0, study.said
        trained[nodes] = (study.folder / NETWORK).read_bytes()
        log = (study.folder / "logs/tiny/models/conv_corruption/corrupt-0.0_seed-0.log").read_text()
        assert "2 processes" in log
        job = cluster.ended(study)[-1]
        assert job["NodeCnt"] == nodes
        assert cluster.gpus()[job["JobId"]] == gpus
    here = ["--set-resources", "train_distributed:processes=2", "--set-threads", "train_distributed=2"]
    done = study.snakemake(*here, "--forcerun", "train_distributed", "--", NETWORK)
    assert done.returncode == 0, done.stderr
    assert trained == dict.fromkeys(trained, (study.folder / NETWORK).read_bytes())
