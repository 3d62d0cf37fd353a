#!/usr/bin/env python3
"""Writes src/test/resources/golden/initializers.json: the first weights of a 3-5-2 network by every initializer, in NumPy."""
import json
import math
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/initializers.json"
SEED = 7
LAYERS = [3, 5, 2]


def weights(name, stream, fan_in, fan_out):
    shape = (fan_out, fan_in)
    both = fan_in + fan_out
    if name == "notebook":
        return stream.uniform(-0.5, 0.5, shape), np.zeros(fan_out)
    if name == "xavier_uniform":
        bound = math.sqrt(6 / both)
        return stream.uniform(-bound, bound, shape), np.zeros(fan_out)
    if name == "xavier_normal":
        return math.sqrt(2 / both) * stream.standard_normal(shape), np.zeros(fan_out)
    if name == "he_uniform":
        bound = math.sqrt(6 / fan_in)
        return stream.uniform(-bound, bound, shape), np.zeros(fan_out)
    if name == "he_normal":
        return math.sqrt(2 / fan_in) * stream.standard_normal(shape), np.zeros(fan_out)
    if name == "pytorch":
        bound = 1 / math.sqrt(fan_in)
        return stream.uniform(-bound, bound, shape), stream.uniform(-bound, bound, fan_out)
    if name == "orthogonal":
        drawn = stream.standard_normal(shape)
        q, r = np.linalg.qr(drawn.T if fan_out <= fan_in else drawn)
        q = q * np.sign(np.diag(r))
        return q.T if fan_out <= fan_in else q, np.zeros(fan_out)
    raise ValueError(name)


def parameters(name):
    stream = np.random.RandomState(SEED)
    flat = []
    for fan_in, fan_out in zip(LAYERS, LAYERS[1:]):
        w, b = weights(name, stream, fan_in, fan_out)
        flat += w.ravel().tolist() + b.tolist()
    return flat


names = ["notebook", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "pytorch", "orthogonal"]
OUT.write_text(json.dumps({"seed": SEED, "layers": LAYERS, "parameters": {n: parameters(n) for n in names}}, indent=1) + "\n")
