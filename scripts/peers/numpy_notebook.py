#!/usr/bin/env python3
"""The teaching notebook's study in the notebook's own arithmetic, printed: to be timed as a process of its own."""
import measuring

if __name__ == "__main__":
    measuring.use_threads(measuring.parser(__doc__).parse_args().threads)

import numpy as np  # noqa: E402  after the threads are set

NETWORKS = [("Model A - Shallow", [3, 4, 1], "relu"), ("Model B - Medium", [3, 6, 6, 1], "relu"),
            ("Model C - Deep", [3, 8, 8, 8, 8, 1], "relu"), ("Model D - Very Deep (ReLU)", [3, *8 * [8], 1], "relu"),
            ("Model D - Very Deep (Sigmoid)", [3, *8 * [8], 1], "sigmoid")]
EPOCHS, LEARNING_RATE = 1000, 0.01


def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


def sigmoid_derivative(z):
    s = sigmoid(z)
    return s * (1 - s)


ACTIVATIONS = {"relu": (lambda z: np.maximum(0, z), lambda z: (z > 0).astype(float)),
               "sigmoid": (sigmoid, sigmoid_derivative), "linear": (lambda z: z, np.ones_like)}


def train(widths, activation, x, y):
    """Loss @ 200, final loss, and the norms of the last step's dW in the first and in the last hidden layer."""
    w = [np.random.uniform(-0.5, 0.5, (n, m)) for m, n in zip(widths, widths[1:])]
    b = [np.zeros((n, 1)) for n in widths[1:]]
    functions = [ACTIVATIONS[activation]] * (len(w) - 1) + [ACTIVATIONS["linear"]]

    def forward():
        zs, activations = [], [x]
        for wi, bi, (f, _) in zip(w, b, functions):
            zs.append(np.dot(wi, activations[-1]) + bi)
            activations.append(f(zs[-1]))
        return zs, activations

    for epoch in range(EPOCHS):
        zs, activations = forward()
        loss = np.mean((y - activations[-1]) ** 2)
        if epoch == 199:
            loss_200 = loss
        da = -2 * (y - activations[-1]) / y.shape[1]
        dw, db = [None] * len(w), [None] * len(w)
        for i in reversed(range(len(w))):
            dz = da * functions[i][1](zs[i])
            dw[i], db[i] = np.dot(dz, activations[i].T), np.sum(dz, axis=1, keepdims=True)
            if i > 0:
                da = np.dot(w[i].T, dz)
        for i in range(len(w)):
            w[i] -= LEARNING_RATE * dw[i]
            b[i] -= LEARNING_RATE * db[i]
    final_loss = np.mean((y - forward()[1][-1]) ** 2)
    return loss_200, final_loss, np.sqrt(np.sum(dw[0] ** 2)), np.sqrt(np.sum(dw[-2] ** 2))


def data():
    """x [3][400] and y [1][400]; the global stream is left where the weights begin."""
    np.random.seed(42)
    x = np.random.uniform(-2, 2, (400, 3))
    y = np.sin(x[:, 0]) + 0.5 * (x[:, 1] ** 2) - 0.8 * x[:, 2]
    return x.T, y.reshape(1, -1)


def study():
    x, y = data()
    return [train(widths, activation, x, y) for _, widths, activation in NETWORKS]


if __name__ == "__main__":
    for (name, _, _), figures in zip(NETWORKS, study()):
        print("{:30} {:.4f} {:.4f} {:.6f} {:.6f}".format(name, *figures))
