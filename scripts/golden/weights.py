#!/usr/bin/env python3
"""Writes src/test/resources/golden/weights.json: trainings whose rows have weights, computed by PyTorch in float64.

cross_entropy is torch.nn.CrossEntropyLoss(weight=...) with a weight per class, which every row of the class has, or, for weights per
row, the weighted sum of its losses without reduction. mse and mae are mse_loss and l1_loss with weight=.... huber and
binary_cross_entropy are huber_loss and BCEWithLogitsLoss with weight=... and reduction="sum", divided by the sum of the weights of all
outputs: with reduction="mean", PyTorch divides these two by the number of outputs.

The file has the format of pytorch.json: 12 mini-batch steps per case, gradients after backward() and before clipping; and in addition
the weight of each row, and the weighted loss over all rows after the last step. Needs PyTorch 2.6 or newer.
"""
import json
import pathlib

import torch
import torch.nn.functional as functional

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/weights.json"
ROWS, BATCH, STEPS = 23, 8, 12
ACTIVATIONS = {"tanh": torch.tanh, "silu": functional.silu, "sigmoid": torch.sigmoid}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}


def weighted_loss(loss, z, y, weights, class_weights):
    if loss == "cross_entropy":
        if class_weights is not None:
            return torch.nn.CrossEntropyLoss(weight=class_weights)(z, y)
        return (weights * functional.cross_entropy(z, y, reduction="none")).sum() / weights.sum()
    expanded = weights[:, None].expand_as(z)
    if loss == "binary_cross_entropy":
        return torch.nn.BCEWithLogitsLoss(weight=expanded, reduction="sum")(z, y) / expanded.sum()
    if loss == "huber":
        return functional.huber_loss(z, y, weight=expanded, reduction="sum") / expanded.sum()
    return {"mse": functional.mse_loss, "mae": functional.l1_loss}[loss](z, y, weight=expanded)


def training(name, seed, layers, activation, loss, optimizer, options, class_weights=None):
    torch.manual_seed(seed)
    linears = [torch.nn.Linear(i, o, dtype=torch.float64) for i, o in zip(layers, layers[1:])]
    x = torch.randn(ROWS, layers[0], dtype=torch.float64)
    if loss == "cross_entropy":
        y = torch.randint(layers[-1], (ROWS,))
    elif loss == "binary_cross_entropy":
        y = torch.randint(2, (ROWS, layers[-1])).double()
    else:
        y = torch.randn(ROWS, layers[-1], dtype=torch.float64)
    if class_weights is not None:
        class_weights = torch.tensor(class_weights, dtype=torch.float64)
        weights = class_weights[y]
    else:
        weights = 0.1 + 4.9 * torch.rand(ROWS, dtype=torch.float64)

    def forward(rows):
        a = rows
        for linear in linears[:-1]:
            a = ACTIVATIONS[activation](linear(a))
        return linears[-1](a)

    def tensors(of):
        return [of(linear.weight).tolist() for linear in linears], [of(linear.bias).tolist() for linear in linears]

    batches = []
    while len(batches) < STEPS:
        order = torch.randperm(ROWS).tolist()
        batches += [order[first:first + BATCH] for first in range(0, ROWS, BATCH)]
    batches = batches[:STEPS]

    parameters = [p for linear in linears for p in (linear.weight, linear.bias)]
    torch_options = {key: value for key, value in options.items() if key != "clip_norm"}
    updates = OPTIMIZERS[optimizer](parameters, **torch_options)
    case = {"name": name, "layers": layers, "activation": activation, "loss": loss, "optimizer": optimizer, "options": options,
            "x": x.tolist(), "y": y.tolist(), "weights": weights.tolist()}
    case["initialWeights"], case["initialBiases"] = tensors(lambda p: p.detach())
    case["batches"] = batches
    case["lossBeforeStep"] = []
    for step, batch in enumerate(batches):
        updates.zero_grad()
        z = forward(x[batch])
        value = weighted_loss(loss, z, y[batch], weights[batch], class_weights)
        value.backward()
        case["lossBeforeStep"].append(value.item())
        if step in (0, STEPS - 1):
            dw, db = tensors(lambda p: p.grad)
            case["gradientsFirstStep" if step == 0 else "gradientsLastStep"] = {"dW": dw, "db": db}
        if step == 0:
            case["outputsFirstBatch"] = z.tolist()
        if "clip_norm" in options:
            torch.nn.utils.clip_grad_norm_(parameters, options["clip_norm"])
        updates.step()
    case["finalWeights"], case["finalBiases"] = tensors(lambda p: p.detach())
    case["finalLoss"] = weighted_loss(loss, forward(x), y, weights, class_weights).item()
    return case


cases = [
    training("class-weights", 1, [4, 6, 3], "tanh", "cross_entropy", "adam", {"lr": 0.01}, [0.3, 1.0, 4.5]),
    training("class-weights-clip", 2, [4, 6, 5, 2], "silu", "cross_entropy", "sgd",
             {"lr": 0.05, "momentum": 0.9, "clip_norm": 0.1}, [0.25, 2.0]),
    training("cross_entropy", 3, [4, 6, 3], "sigmoid", "cross_entropy", "rmsprop", {"lr": 0.01}),
    training("mse", 4, [4, 6, 2], "tanh", "mse", "sgd", {"lr": 0.05}),
    training("mse-one-output", 5, [3, 7, 1], "tanh", "mse", "adamw", {"lr": 0.01, "weight_decay": 0.1}),
    training("mae", 6, [4, 6, 2], "silu", "mae", "sgd", {"lr": 0.05}),
    training("huber", 7, [4, 6, 2], "tanh", "huber", "sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    training("binary_cross_entropy", 8, [4, 6, 2], "sigmoid", "binary_cross_entropy", "sgd", {"lr": 0.05}),
]
with open(OUT, "w") as file:
    file.write('{"torch": ' + json.dumps(torch.__version__) + ', "cases": [\n')
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
print(f"{OUT}: {len(cases)} trainings")
