#!/usr/bin/env python3
"""Writes src/test/resources/golden/numpy-random.json: output of numpy.random.RandomState for five seeds."""
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/golden/numpy-random.json"
UNIFORM_INDICES = [0, 1, 2, 311, 312, 623, 624, 699]  # on both sides of the generator's refill at 624 words
SIZES = [1, 2, 3, 7, 17, 33, 64, 100]


def case(seed):
    uniform = np.random.RandomState(seed).uniform(-2, 2, 700)
    permuted = np.random.RandomState(seed)
    permutations = [permuted.permutation(n).tolist() for n in SIZES]
    mixed = np.random.RandomState(seed)
    return {
        "seed": seed,
        "randomSample": np.random.RandomState(seed).random_sample(8).tolist(),
        "uniform(-2,2)": [uniform[i] for i in UNIFORM_INDICES],
        "uniformIndices": UNIFORM_INDICES,
        "standardNormal": np.random.RandomState(seed).standard_normal(9).tolist(),
        "permutations": permutations,
        "afterPermutations": permuted.random_sample(3).tolist(),
        "mixed": {
            "normal3": mixed.standard_normal(3).tolist(),
            "uniform2": mixed.uniform(0, 1, 2).tolist(),
            "normal2": mixed.standard_normal(2).tolist(),
            "permutation5": mixed.permutation(5).tolist(),
        },
        "note": "mixed is one stream, in the order listed",
    }


OUT.write_text(json.dumps({"numpy": np.__version__, "cases": [case(s) for s in [0, 1, 42, 2026, 4294967295]]}))
