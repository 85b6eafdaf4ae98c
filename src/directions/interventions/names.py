"""Names of activations, for the config and for the engine alike. Needs no torch."""

ACTIVATIONS = (  # what may follow a layer of such a network; none: the module's output unchanged
    "none", "relu", "gelu", "silu", "elu", "leaky_relu", "relu6", "hardswish", "mish", "softplus", "tanh",
    "sigmoid", "prelu", "rrelu", "selu", "celu", "hardtanh", "hardsigmoid", "logsigmoid", "softsign",
    "tanhshrink", "softshrink", "hardshrink", "threshold",
)  # fmt: skip
