"""The rows and first weights of the GPU workloads: the same numbers for Plumb and for every peer.

Weights are [out][in] and biases [out], G2's with the replica as the first dimension. x is [row][feature]; y is [row][output], or
the class of each row. Everything is drawn in double precision from NumPy's legacy generator and then rounded.
"""
import functools
import math

import numpy as np

from gpu_workloads import definitions

DATA_SEED, FIRST_WEIGHTS_SEED = 42, 43  # replica r's weights come from seed FIRST_WEIGHTS_SEED + r


def data(case):
    """x and y."""
    x, y = drawn_data(case.workload, case.quick)
    return x.astype(case.dtype), y if y.dtype.kind == "i" else y.astype(case.dtype)


def first_parameters(case):
    """W and b of each layer, in one list."""
    return [p.astype(case.dtype) for p in drawn_parameters(case.workload, case.replicas, case.quick)]


@functools.lru_cache(maxsize=1)
def drawn_data(workload, quick):
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
def drawn_parameters(workload, replicas, quick):
    definition = definitions(quick)[workload]
    networks = [draw_network(definition, np.random.RandomState(FIRST_WEIGHTS_SEED + r)) for r in range(replicas)]
    return [np.stack(p) for p in zip(*networks)] if workload == "G2" else networks[0]


def draw_network(definition, stream):
    parameters = []
    for inputs, outputs in zip(definition.widths, definition.widths[1:]):
        if definition.initializer == "notebook":
            parameters += [stream.uniform(-0.5, 0.5, (outputs, inputs)), np.zeros(outputs)]
        else:
            bound = 1 / math.sqrt(inputs)
            parameters += [stream.uniform(-bound, bound, shape) for shape in [(outputs, inputs), outputs]]
    return parameters
