#!/usr/bin/env python3
"""Writes src/test/resources/golden/study-minibatch.json: a study with shuffled batches and two seeds, computed in NumPy.

One stream per seed: the draws for the data (both seeds use the base seed's data), then for each network its first weights and one
permutation per epoch.
"""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/study-minibatch.json"
SPEC = {
    "name": "mini-batches",
    "data": {"source": "notebook", "samples": 50},
    "seed": 7,
    "initializer": "he_uniform",
    "learningRate": 0.05,
    "epochs": 9,
    "batchSize": 16,
    "lossAtEpochs": [1, 4, 9],
    "networks": [
        {"name": "first", "layers": [3, 5, 1], "activation": "tanh"},
        {"name": "second", "layers": [3, 4, 2, 1], "activation": "sigmoid"},
    ],
}
SEEDS = 2
F = {"tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
     "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2)}


def draw_data(stream):
    x = stream.uniform(-2, 2, (SPEC["data"]["samples"], 3))
    return x, (np.sin(x[:, 0]) + 0.5 * x[:, 1] ** 2 - 0.8 * x[:, 2])[:, None]


def forward(layers, f, x):
    zs, activations = [], [x]
    for i, (w, b) in enumerate(layers):
        zs.append(activations[-1] @ w.T + b)
        activations.append(zs[-1] if i == len(layers) - 1 else f(zs[-1]))
    return zs, activations


def train(network, stream, x, y):
    f, df = F[network["activation"]]
    layers = []
    for fan_in, fan_out in zip(network["layers"], network["layers"][1:]):
        bound = np.sqrt(6 / fan_in)
        layers.append([stream.uniform(-bound, bound, (fan_out, fan_in)), np.zeros(fan_out)])
    loss_at = {}
    for epoch in range(1, SPEC["epochs"] + 1):
        if epoch in SPEC["lossAtEpochs"]:
            loss_at[str(epoch)] = float(np.mean((forward(layers, f, x)[1][-1] - y) ** 2))
        order = stream.permutation(len(x))
        for at in range(0, len(x), SPEC["batchSize"]):
            rows = order[at:at + SPEC["batchSize"]]
            zs, activations = forward(layers, f, x[rows])
            delta = 2 * (activations[-1] - y[rows]) / len(rows)
            gradients = [None] * len(layers)
            for i in reversed(range(len(layers))):
                gradients[i] = (delta.T @ activations[i], delta.sum(0))
                if i > 0:
                    delta = (delta @ layers[i][0]) * df(zs[i - 1])
            for layer, (dw, db) in zip(layers, gradients):
                layer[0] -= SPEC["learningRate"] * dw
                layer[1] -= SPEC["learningRate"] * db
    return {
        "lossAtEpoch": loss_at,
        "finalLoss": float(np.mean((forward(layers, f, x)[1][-1] - y) ** 2)),
        "gradNormPerLayer": [float(np.sqrt((dw ** 2).sum())) for dw, _ in gradients],
    }


streams = [np.random.RandomState(SPEC["seed"] + r) for r in range(SEEDS)]
data = [draw_data(stream) for stream in streams][0]
runs = []
for network in SPEC["networks"]:
    for r, stream in enumerate(streams):
        runs.append({"name": network["name"], "seed": SPEC["seed"] + r, **train(network, stream, *data)})
OUT.write_text(json.dumps({"spec": SPEC, "seeds": SEEDS, "runs": runs}, indent=1) + "\n")
