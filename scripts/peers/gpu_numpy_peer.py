#!/usr/bin/env python3
"""The final losses of the GPU workloads in NumPy's double precision, differentiated by hand: a check of the other peers."""
import contextlib

import numpy as np

import gpu_data
import gpu_worker


class Trainer:
    def __init__(self, case):
        self.case, self.definition, self.chunk = case, case.definition, 1
        self.x, self.y = (a if a.dtype.kind == "i" else a.astype(float) for a in gpu_data.data(case))
        self.first = [p.astype(float) for p in gpu_data.first_parameters(case)]

    def reset(self):
        self.parameters, self.next_row = [p.copy() for p in self.first], 0

    def run(self, steps):
        for _ in range(steps):
            rows = slice(self.next_row, self.next_row + self.definition.batch)
            self.step(self.x[rows], self.y[rows])
            self.next_row = rows.stop % self.definition.rows

    def synchronize(self):
        pass

    def forward(self, x):
        """The activations of each layer [row][unit], the last one's linear."""
        activations = [x]
        for w, b in zip(self.parameters[::2], self.parameters[1::2]):
            z = activations[-1] @ w.swapaxes(-1, -2) + b[..., None, :]
            activations.append(np.maximum(z, 0) if self.case.activation == "relu" else 1 / (1 + np.exp(-z)))
        activations[-1] = z
        return activations

    def step(self, x, y):
        activations = self.forward(x)
        z = activations[-1]
        if self.definition.loss == "mse":
            delta = 2 * (z - y) / (z.shape[-1] * z.shape[-2])
        else:
            delta = np.exp(z - np.logaddexp.reduce(z, axis=1)[:, None])
            delta[np.arange(len(y)), y] -= 1
            delta /= len(y)
        for i in reversed(range(0, len(self.parameters), 2)):
            a = activations[i // 2]
            dw, db = delta.swapaxes(-1, -2) @ a, delta.sum(-2)
            if i > 0:
                delta = delta @ self.parameters[i] * (a > 0 if self.case.activation == "relu" else a * (1 - a))
            self.parameters[i] -= self.definition.learning_rate * dw
            self.parameters[i + 1] -= self.definition.learning_rate * db

    def final_loss(self):
        z = self.forward(self.x)[-1]
        if self.definition.loss == "mse":
            return float(np.mean((z - self.y) ** 2))
        return float(np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), self.y]))


gpu_worker.serve({"version": np.__version__, "device": "CPU"}, lambda case: contextlib.nullcontext(Trainer(case)))
