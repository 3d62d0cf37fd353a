#!/usr/bin/env python3
"""Writes src/test/resources/golden/notebook-seed42.json and activations-seed42.json with the notebook's own NumPy recipe."""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden"
SEED, SAMPLES, LEARNING_RATE = 42, 400, 0.01


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


ACTIVATIONS = {
    "relu": (lambda z: np.maximum(0, z), lambda z: (z > 0).astype(float)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "softplus": (lambda z: np.log(1 + np.exp(np.clip(z, -500, 500))), sigmoid),
    "linear": (lambda z: z, np.ones_like),
}


def train(layers, activation, epochs, x, y):
    f, df = ACTIVATIONS[activation]
    w, b = [], []
    for fan_in, fan_out in zip(layers, layers[1:]):
        w.append(np.random.uniform(-0.5, 0.5, (fan_out, fan_in)))
        b.append(np.zeros((fan_out, 1)))
    last = len(w) - 1
    result = {"activation": activation, "layers": layers, "lossAtEpoch": {}}

    def forward():
        zs, activations = [], [x]
        for i in range(len(w)):
            zs.append(np.dot(w[i], activations[-1]) + b[i])
            activations.append(zs[-1] if i == last else f(zs[-1]))
        return zs, activations

    result["initialWeights"] = [layer.tolist() for layer in w]
    for epoch in range(1, epochs + 1):
        zs, activations = forward()
        if epoch % 50 == 1 or epoch in (200, epochs):
            result["lossAtEpoch"][str(epoch)] = float(np.mean((y - activations[-1]) ** 2))
        dw, db = [None] * len(w), [None] * len(w)
        da = -2 * (y - activations[-1]) / y.shape[1]
        for i in reversed(range(len(w))):
            dz = da if i == last else da * df(zs[i])
            dw[i], db[i] = np.dot(dz, activations[i].T), np.sum(dz, axis=1, keepdims=True)
            da = np.dot(w[i].T, dz)
        norms = [float(np.sqrt(np.sum(g ** 2))) for g in dw]
        if epoch == 1:
            result["gradNormPerLayerFirstEpoch"] = norms
            result["gradientsFirstEpoch"] = {"dW": [g.tolist() for g in dw], "db": [g.ravel().tolist() for g in db]}
        for i in range(len(w)):
            w[i] -= LEARNING_RATE * dw[i]
            b[i] -= LEARNING_RATE * db[i]
    result["finalLoss"] = float(np.mean((y - forward()[1][-1]) ** 2))
    result["gradNormPerLayerLastEpoch"] = norms
    result["gradNormL1"], result["gradNormLast"] = norms[0], norms[-2]
    result["finalWeights"] = [layer.tolist() for layer in w]
    result["finalBiases"] = [layer.ravel().tolist() for layer in b]
    return result


def write(name, epochs, nets):
    np.random.seed(SEED)
    rows = np.random.uniform(-2, 2, (SAMPLES, 3))
    y = (np.sin(rows[:, 0]) + 0.5 * rows[:, 1] ** 2 - 0.8 * rows[:, 2]).reshape(1, -1)
    data = {"xFirstSample": rows[0].tolist(), "yFirst4": y[0, :4].tolist(), "xSum": float(rows.sum()), "ySum": float(y.sum())}
    results = [train(layers, activation, epochs, rows.T, y) for layers, activation in nets]
    document = {"seed": SEED, "samples": SAMPLES, "epochs": epochs, "learningRate": LEARNING_RATE, "data": data, "nets": results}
    (OUT / name).write_text(json.dumps(document, indent=1) + "\n")


deep = [3, 8, 8, 8, 8, 8, 8, 8, 8, 1]
write("notebook-seed42.json", 1000, [([3, 4, 1], "relu"), ([3, 6, 6, 1], "relu"), ([3, 8, 8, 8, 8, 1], "relu"),
                                     (deep, "relu"), (deep, "sigmoid")])
write("activations-seed42.json", 300, [([3, 6, 5, 1], name) for name in
                                       ["relu", "sigmoid", "tanh", "leaky_relu", "softplus", "linear"]])
