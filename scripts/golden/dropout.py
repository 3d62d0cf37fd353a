#!/usr/bin/env python3
"""Writes src/test/resources/golden/dropout.json: dropout masks, and trainings with dropout, computed in NumPy.

Philox4x32-10 is implemented here from the paper (Salmon et al., Parallel random numbers: as easy as 1, 2, 3; SC 2011) with Python
integers, and first checked against its authors' known answers. NumPy's Philox is a different generator, 4x64.

The file holds
  words      single words: of seed, steps taken before, layer and element
  masks      by layer the elements [rows x units], row by row, as a string: 1 is kept, 0 is dropped
  trainings  mini-batches by adam: the loss of each batch before its update, first gradients, last parameters, and the loss
             over all rows at the end, where nothing is dropped
"""
import json
import math
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/dropout.json"
WORD = 0xFFFFFFFF


def philox(counter, key):
    x, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ k[0], q & WORD, (p >> 32) ^ x[3] ^ k[1], p & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return x


# The file kat_vectors of Random123, philox4x32 with 10 rounds: all zeros, all ones, digits of pi.
assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
assert philox([WORD] * 4, [WORD] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
assert philox([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]) == [
    0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def word(seed, step, layer, element):
    seed %= 2 ** 64
    counter = [element // 4, layer, step & WORD, step >> 32]
    return philox(counter, [seed & WORD, seed >> 32])[element % 4]


def kept(seed, probability, step, layer, rows, units):
    """[rows x units] of True and False."""
    threshold = math.floor(probability * 2 ** 32 + 0.5)
    words = [word(seed, step, layer, element) for element in range(rows * units)]
    return np.array(words).reshape(rows, units) >= threshold


def masks(seed, probability, step, rows, layers):
    hidden = layers[1:-1]
    return {
        "seed": seed, "probability": probability, "step": step, "rows": rows, "layers": layers,
        "kept": ["".join("01"[int(k)] for k in kept(seed, probability, step, l, rows, units).ravel())
                 for l, units in enumerate(hidden)],
    }


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


F = {"sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
     "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z))))}


def forward(layers, f, x, factors):
    """Z and A of all layers, A from the inputs on; factors are what each hidden layer's activations are multiplied by."""
    zs, activations = [], [x]
    for i, (w, b) in enumerate(layers):
        zs.append(activations[-1] @ w.T + b)
        activations.append(zs[-1] if i == len(layers) - 1 else f(zs[-1]) * factors[i])
    return zs, activations


def training(activation, seed, probability, first_step):
    widths, rows, batch, rate, beta1, beta2, epsilon = [3, 7, 5, 2], 22, 9, 0.01, 0.9, 0.999, 1e-8
    stream = np.random.RandomState(seed % 2 ** 32)
    x = stream.uniform(-2, 2, (rows, widths[0]))
    y = stream.uniform(-1, 1, (rows, widths[-1]))
    layers = [[stream.uniform(-1, 1, (out, inputs)), stream.uniform(-1, 1, out)] for inputs, out in zip(widths, widths[1:])]
    result = {
        "activation": activation, "layers": widths, "seed": seed, "probability": probability, "firstStep": first_step,
        "learningRate": rate, "x": x.tolist(), "y": y.tolist(),
        "initialWeights": [w.tolist() for w, _ in layers], "initialBiases": [b.tolist() for _, b in layers],
        "batches": [], "lossBeforeStep": [],
    }
    f, df = F[activation]
    moments = [[np.zeros_like(p), np.zeros_like(p)] for layer in layers for p in layer]
    for n in range(12):
        if n % 3 == 0:
            order = stream.permutation(rows)
        chosen = order[n % 3 * batch:][:batch]
        step = first_step + n
        factors = [kept(seed, probability, step, l, len(chosen), units) / (1 - probability)
                   for l, units in enumerate(widths[1:-1])]
        zs, activations = forward(layers, f, x[chosen], factors)
        error = activations[-1] - y[chosen]
        result["batches"].append(chosen.tolist())
        result["lossBeforeStep"].append(float(np.mean(error ** 2)))
        delta = 2 * error / error.size
        gradients = []
        for i in reversed(range(len(layers))):
            gradients[:0] = [delta.T @ activations[i], delta.sum(0)]
            if i > 0:
                delta = (delta @ layers[i][0]) * factors[i - 1] * df(zs[i - 1])
        if n == 0:
            result["gradientsFirstStep"] = {
                "dW": [g.tolist() for g in gradients[::2]], "db": [g.tolist() for g in gradients[1::2]]}
        t = step + 1
        for p, g, m in zip([p for layer in layers for p in layer], gradients, moments):
            m[0] = beta1 * m[0] + (1 - beta1) * g
            m[1] = beta2 * m[1] + (1 - beta2) * g ** 2
            p -= rate / (1 - beta1 ** t) * m[0] / (np.sqrt(m[1]) / np.sqrt(1 - beta2 ** t) + epsilon)
    result["finalWeights"] = [w.tolist() for w, _ in layers]
    result["finalBiases"] = [b.tolist() for _, b in layers]
    result["finalLoss"] = float(np.mean((forward(layers, f, x, [1, 1])[1][-1] - y) ** 2))
    return result


OUT.write_text(json.dumps({
    "words": [{"seed": seed, "step": step, "layer": layer, "element": element, "word": word(seed, step, layer, element)}
              for seed, step, layer, element in [
                  (0, 0, 0, 0), (0, 0, 0, 3), (42, 0, 1, 70), (42, 1, 2, 1), (2 ** 63 - 1, 7, 0, 139),
                  (-2, 2 ** 32 - 1, 1, 33), (2 ** 32, 2 ** 32, 2, 54), (1 << 40 | 5, 3 << 33 | 1, 0, 26)]],
    "masks": [
        masks(11, 0.5, 3, 31, [2, 1, 3, 13, 33, 65, 2]),
        masks(2 ** 32 + 7, 0.25, 2 ** 32 + 1, 65, [3, 129, 2, 1]),
        masks(-1, 0.9, 0, 1000, [1, 7, 1]),
        masks(5, 0.1, 1, 6, [1, 257, 63, 1]),
    ],
    "trainings": [training("sigmoid", 3, 0.3, 0), training("silu", 1 << 33 | 17, 0.3, 2 ** 32 - 5)],
}, indent=1) + "\n")
