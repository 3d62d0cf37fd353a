#!/usr/bin/env python3
"""NumPy on the four workloads, differentiated by hand; W1 is the notebook's own arithmetic, W4 batched matmuls."""
import pathlib
import subprocess
import sys

import measuring

options = measuring.options(__doc__)
measuring.use_threads(options.threads)

import numpy as np  # noqa: E402  after the threads are set

import numpy_notebook  # noqa: E402
import workloads  # noqa: E402

TOGETHER = 32  # networks in one matmul: all 256 at once leave the processor's cache and are half as fast


def loss_and_delta(loss, z, y):
    """Of outputs z [output][row]: the loss, and its derivative by them."""
    rows = z.shape[-1]
    if loss == "mse":
        difference = z - y
        return np.mean(difference * difference, axis=(-1, -2)), difference * np.float32(2 / (rows * z.shape[-2]))
    correct = y, np.arange(rows)
    z -= z.max(0)
    e = np.exp(z)
    total = e.sum(0)
    value = np.mean(np.log(total) - z[correct])
    e /= total
    e[correct] -= 1
    return value, e * np.float32(1 / rows)


def step(parameters, x, y, workload):
    """One step on columns x [feature][row], as in the notebook; parameters are changed in place."""
    activations, rate = [x], np.float32(workload.learning_rate)
    for w, b in parameters:
        z = w @ activations[-1]
        z += b[..., None]
        activations.append(np.maximum(z, 0, out=z) if w is not parameters[-1][0] else z)
    loss, delta = loss_and_delta(workload.loss, activations.pop(), y)
    for i in reversed(range(len(parameters))):
        w, b = parameters[i]
        dw, db = delta @ activations[i].swapaxes(-1, -2), delta.sum(-1)
        if i > 0:
            delta = w.swapaxes(-1, -2) @ delta
            delta *= activations[i] > 0
        dw *= rate
        w -= dw
        b -= rate * db
    return loss


def train(workload):
    trained = [(w.copy(), b.copy()) for w, b in workload.parameters]
    count = len(trained[0][0]) if workload.name == "W4" else 1
    for first in range(0, count, TOGETHER):
        group = [(w[first:first + TOGETHER], b[first:first + TOGETHER]) for w, b in trained] if count > 1 else trained
        for _ in range(workload.epochs):
            for at in range(0, len(workload.x), workload.batch):
                rows = slice(at, at + workload.batch)
                step(group, workload.x[rows].T, workload.y[rows].T, workload)
    return trained


def process():
    """The notebook's study as a process of its own, its start included: the figures it prints."""
    script = pathlib.Path(__file__).with_name("numpy_notebook.py")
    arguments = [sys.executable, script, "--threads", str(options.threads)]
    printed = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [row.split()[-4:] for row in printed.splitlines()]


for name in options.workloads:
    workload = workloads.BY_NAME[name]()
    if name == "W1":
        measuring.measure("numpy process", np.__version__, workload, options, process)
    run = numpy_notebook.study if name == "W1" else lambda: train(workload)
    measuring.measure("numpy", np.__version__, workload, options, run)
