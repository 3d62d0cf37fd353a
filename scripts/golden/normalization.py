#!/usr/bin/env python3
"""Writes src/test/resources/golden/normalization.json: trainings with normalization and residual connections, by PyTorch in float64.

A hidden layer is a + dropout(f(norm(linear(a)))), without "a +" in networks without residual connections and in layers with another
number of units than inputs. norm is torch.nn.BatchNorm1d, torch.nn.LayerNorm or nothing. PyTorch's dropout draws other numbers than
Plumb's, so the masks are those of dropout.py.

Vectors of parameters are flat: the weight and bias of each layer, then scale and shift of each normalization, then running mean and
running variance of each batch normalization; gradients have no running statistics. Each case holds 12 mini-batch steps, of which
every third or fourth batch is shorter: losses before the updates, gradients of the first and the last step after backward() and before
clipping, the normalized pre-activations of the first hidden layer in the first step, the final parameters, and then, in evaluation
mode, the outputs for all rows and their loss.
Needs PyTorch 2.6 or newer.
"""
import json
import pathlib

import torch
import torch.nn.functional as functional

HERE = pathlib.Path(__file__).resolve()
OUT = HERE.parents[2] / "src/test/resources/golden/normalization.json"
ROWS, STEPS = 23, 12
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "gelu": functional.gelu, "silu": functional.silu}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
LOSSES = {"mse": functional.mse_loss, "cross_entropy": functional.cross_entropy,
          "binary_cross_entropy": functional.binary_cross_entropy_with_logits}


def masks_of_dropout():
    """The function `kept` of dropout.py, without writing its file."""
    source = (HERE.parent / "dropout.py").read_text().split("\ndef sigmoid")[0]
    names = {"__file__": str(HERE)}
    exec(compile(source, "dropout.py", "exec"), names)
    return names["kept"]


KEPT = masks_of_dropout()


def training(seed, layers, activation, normalization, residual, loss, optimizer, options, batch=8, dropout=0.0):
    torch.manual_seed(seed)
    norm_of = {"batch": torch.nn.BatchNorm1d, "layer": torch.nn.LayerNorm}.get(normalization)
    linears = [torch.nn.Linear(i, o, dtype=torch.float64) for i, o in zip(layers, layers[1:])]
    norms = [norm_of(units, dtype=torch.float64) for units in layers[1:-1]] if norm_of else []
    with torch.no_grad():  # not the initial 1 and 0, so that every term of the formulas counts
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
            if normalization == "batch":
                norm.running_mean.uniform_(-1, 1)
                norm.running_var.uniform_(0.5, 2)
    x = torch.randn(ROWS, layers[0], dtype=torch.float64)
    if loss == "cross_entropy":
        y = torch.randint(layers[-1], (ROWS,))
    elif loss == "binary_cross_entropy":
        y = torch.randint(2, (ROWS, layers[-1])).double()
    else:
        y = torch.randn(ROWS, layers[-1], dtype=torch.float64)

    def forward(rows, step=None):
        a, first = rows, None
        for l, linear in enumerate(linears[:-1]):
            h = linear(a)
            if norms:
                h = norms[l](h)
            first = h if l == 0 else first
            out = ACTIVATIONS[activation](h)
            if dropout and step is not None:
                out = out * torch.from_numpy(KEPT(seed, dropout, step, l, *out.shape)) / (1 - dropout)
            a = a + out if residual and a.shape == out.shape else out
        return linears[-1](a), first

    trained = [p for linear in linears for p in (linear.weight, linear.bias)] + [p for norm in norms for p in (norm.weight, norm.bias)]

    def vector():
        running = [b for norm in norms for b in (norm.running_mean, norm.running_var)] if normalization == "batch" else []
        return [value for tensor in trained + running for value in tensor.detach().flatten().tolist()]

    batches = []
    while len(batches) < STEPS:
        order = torch.randperm(ROWS).tolist()
        batches += [order[first:first + batch] for first in range(0, ROWS, batch)]
    batches = batches[:STEPS]

    torch_options = {key: value for key, value in options.items() if key != "clip_norm"}
    updates = OPTIMIZERS[optimizer](trained, **torch_options)
    name = "-".join([normalization] + ["residual"] * residual + ["dropout"] * (dropout > 0) + [activation, optimizer])
    case = {"name": name, "layers": layers, "activation": activation, "normalization": normalization, "residual": residual,
            "loss": loss, "optimizer": optimizer, "options": options, "x": x.tolist(), "y": y.tolist(),
            "initialParameters": vector(), "batches": batches, "lossBeforeStep": []}
    if dropout:
        case["dropout"] = {"probability": dropout, "seed": seed}
    for step, rows in enumerate(batches):
        updates.zero_grad()
        z, first = forward(x[rows], step)
        value = LOSSES[loss](z, y[rows])
        value.backward()
        case["lossBeforeStep"].append(value.item())
        if step in (0, STEPS - 1):
            case["gradientsFirstStep" if step == 0 else "gradientsLastStep"] = [
                value for p in trained for value in p.grad.flatten().tolist()]
        if step == 0:
            case["outputsFirstBatch"] = z.tolist()
            case["normalizedFirstBatch"] = first.tolist()
        if "clip_norm" in options:
            torch.nn.utils.clip_grad_norm_(trained, options["clip_norm"])
        updates.step()
    case["finalParameters"] = vector()
    for norm in norms:
        norm.eval()
    z = forward(x)[0]
    case["evaluationOutputs"] = z.tolist()
    case["evaluationLoss"] = LOSSES[loss](z, y).item()
    return case


SGD = {"lr": 0.05}
# Optimizers that divide by the magnitude of the gradient turn the rounding of small gradients into steps, with the default epsilon of
# 1e-8. The gradient of a bias before a batch normalization is 0 except for rounding.
EPS = 1e-2
cases = [
    training(1, [4, 6, 5, 3], "tanh", "batch", False, "cross_entropy", "sgd", SGD),
    training(2, [4, 6, 6, 2], "sigmoid", "batch", False, "mse", "adam", {"lr": 0.01, "eps": EPS}),
    training(3, [4, 6, 6, 3], "relu", "batch", True, "cross_entropy", "sgd", {"lr": 0.05, "momentum": 0.9}),
    training(4, [5, 5, 5, 2], "gelu", "batch", True, "mse", "sgd", {"lr": 0.05, "weight_decay": 0.1}),
    training(5, [4, 7, 7, 2], "tanh", "batch", False, "mse", "adamw", {"lr": 0.01, "weight_decay": 0.1, "eps": EPS}, dropout=0.3),
    training(6, [4, 7, 7, 7, 2], "silu", "batch", True, "binary_cross_entropy", "rmsprop", {"lr": 0.01, "eps": EPS}, dropout=0.3),
    training(7, [3, 6, 6, 1], "tanh", "batch", True, "mse", "sgd", {"lr": 0.05, "clip_norm": 0.1}),
    training(8, [3, 2, 3, 2], "tanh", "batch", False, "mse", "sgd", SGD),
    training(9, [3, 6, 2], "relu", "batch", False, "mse", "sgd", SGD, batch=7),  # the last batch of an epoch has 2 rows
    training(11, [4, 6, 5, 3], "tanh", "layer", False, "cross_entropy", "sgd", SGD),
    training(12, [4, 6, 6, 2], "sigmoid", "layer", False, "mse", "adam", {"lr": 0.01, "eps": EPS}),
    training(13, [4, 6, 6, 3], "relu", "layer", True, "cross_entropy", "sgd", {"lr": 0.05, "momentum": 0.9}),
    training(14, [5, 5, 5, 2], "gelu", "layer", True, "mse", "sgd", {"lr": 0.05, "weight_decay": 0.1}),
    training(15, [4, 7, 7, 2], "tanh", "layer", False, "mse", "adamw", {"lr": 0.01, "weight_decay": 0.1, "eps": EPS}, dropout=0.3),
    training(16, [4, 7, 7, 7, 2], "silu", "layer", True, "binary_cross_entropy", "rmsprop", {"lr": 0.01, "eps": EPS}, dropout=0.3),
    training(17, [3, 6, 6, 1], "tanh", "layer", True, "mse", "sgd", {"lr": 0.05, "clip_norm": 0.1}),
    training(18, [3, 5, 3, 2], "tanh", "layer", False, "mse", "sgd", SGD, batch=11),  # the last batch of an epoch has 1 row
    training(21, [5, 5, 6, 6, 2], "tanh", "none", True, "mse", "adam", {"lr": 0.01, "eps": EPS}),
    training(22, [4, 6, 6, 6, 3], "relu", "none", True, "cross_entropy", "sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    training(23, [4, 7, 7, 2], "sigmoid", "none", True, "mse", "adamw", {"lr": 0.01, "eps": EPS}, dropout=0.3),
]
with open(OUT, "w") as file:
    file.write('{"torch": ' + json.dumps(torch.__version__) + ', "cases": [\n')
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
print(f"{OUT}: {len(cases)} trainings")
