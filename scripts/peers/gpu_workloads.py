"""The GPU workloads G1 to G4 of `plumb bench --device cuda`: numbers that are the same for Plumb and for every peer.

Weights are [out][in] and biases [out], G2's with the replica as the first dimension. x is [row][feature]; y is [row][output], or
the class of each row. Everything is drawn in double precision from NumPy's legacy generator and then rounded.
"""
import functools
import math
from dataclasses import dataclass

import numpy as np

WORKLOADS = ["G1", "G2", "G3", "G4"]
DATA_SEED, FIRST_WEIGHTS_SEED = 42, 43  # replica r's weights come from seed FIRST_WEIGHTS_SEED + r
NOTEBOOK_ROWS = 400
NOTEBOOK_WIDTHS = (3, *8 * [8], 1)


@dataclass(frozen=True)
class Definition:
    """One workload, whatever the precision and the number of replicas."""
    unit: str
    widths: tuple
    loss: str
    learning_rate: float
    rows: int
    batch: int
    final_steps: int  # the final loss is the loss over all rows after so many steps from the first weights
    initializer: str  # "notebook" or "pytorch"


def definitions(quick):
    square, wide = (64, 512) if quick else (4096, 10_240)
    g3 = (64, 32, 32, 10) if quick else (784, 512, 512, 10)
    return {
        "G1": Definition("us/epoch", NOTEBOOK_WIDTHS, "mse", 0.01, NOTEBOOK_ROWS, NOTEBOOK_ROWS, 100, "notebook"),
        "G2": Definition("network-epochs/s", NOTEBOOK_WIDTHS, "mse", 0.01, NOTEBOOK_ROWS, NOTEBOOK_ROWS, 100, "notebook"),
        "G3": Definition("us/step", g3, "cross_entropy", 0.05, wide, 128, wide // 128, "pytorch"),
        "G4": Definition("TFLOP/s", 9 * (square,), "mse", 0.5, square, square, 10, "pytorch"),
    }


@dataclass(frozen=True)
class Case:
    """One figure of one peer."""
    peer: str
    workload: str
    precision: str = "fp32"  # fp32, tf32 or fp64
    replicas: int = 1
    activation: str = "relu"
    quick: bool = False

    @property
    def definition(self):
        return definitions(self.quick)[self.workload]

    @property
    def label(self):
        words = [self.workload, f"x{self.replicas}" if self.workload == "G2" else "",
                 self.activation if self.activation != "relu" else "", self.precision]
        return " ".join(filter(None, words))

    @property
    def dtype(self):
        return "float64" if self.precision == "fp64" else "float32"

    def figure(self, seconds, steps):
        """In the workload's unit. G4 counts the matrix products only: forward, dW, and dX except the first layer's."""
        if self.workload == "G2":
            return self.replicas * steps / seconds
        if self.workload == "G4":
            layers, rows, width = len(self.definition.widths) - 1, self.definition.rows, self.definition.widths[0]
            products = 1 if self.peer == "torch-matmul" else 3 * layers - 1
            return products * 2 * rows * width * width * steps / seconds / 1e12
        return seconds / steps * 1e6

    def data(self):
        """x and y."""
        x, y = data(self.workload, self.quick)
        return x.astype(self.dtype), y if y.dtype.kind == "i" else y.astype(self.dtype)

    def first_parameters(self):
        """W and b of each layer, in one list: with the replica in front for G2."""
        return [p.astype(self.dtype) for p in first_parameters(self.workload, self.replicas, self.quick)]


@functools.lru_cache(maxsize=1)
def data(workload, quick):
    definition, stream = definitions(quick)[workload], np.random.RandomState(DATA_SEED)
    if definition.initializer == "notebook":
        x = stream.uniform(-2, 2, (definition.rows, 3))
        return x, (np.sin(x[:, 0]) + 0.5 * (x[:, 1] * x[:, 1]) - 0.8 * x[:, 2])[:, None]
    outputs = definition.widths[-1]
    x = stream.standard_normal((definition.rows, definition.widths[0]))
    if definition.loss == "cross_entropy":
        return x, (stream.random_sample(definition.rows) * outputs).astype(np.int64)
    return x, stream.standard_normal((definition.rows, outputs))


@functools.lru_cache(maxsize=1)
def first_parameters(workload, replicas, quick):
    definition = definitions(quick)[workload]
    networks = [draw(definition, np.random.RandomState(FIRST_WEIGHTS_SEED + r)) for r in range(replicas)]
    return [np.stack(p) for p in zip(*networks)] if workload == "G2" else networks[0]


def draw(definition, stream):
    parameters = []
    for inputs, outputs in zip(definition.widths, definition.widths[1:]):
        if definition.initializer == "notebook":
            parameters += [stream.uniform(-0.5, 0.5, (outputs, inputs)), np.zeros(outputs)]
        else:
            bound = 1 / math.sqrt(inputs)
            parameters += [stream.uniform(-bound, bound, shape) for shape in [(outputs, inputs), outputs]]
    return parameters
