"""The four workloads: numbers that are the same for every peer, and how the result of a training is judged.

Weights are [out][in] and biases [out], W4's with the network in front; x and y are [row][feature], W2's y the classes. Losses
are computed here, in double precision, from the parameters that a peer hands back: no peer judges itself.
"""
from dataclasses import dataclass

import numpy as np

import numpy_notebook

SEED = 7
# As the notebook prints them: loss @ 200, final loss, gradient norm of the first and of the last hidden layer.
NOTEBOOK = ["0.4938 0.1115 0.045217 0.045217", "0.3220 0.0728 0.036609 0.021441", "0.8620 0.0304 0.023876 0.016801",
            "1.6349 0.0528 0.429784 0.621290", "1.7439 1.7439 0.000006 0.000006"]


@dataclass
class Study:
    """W1: double; networks are pairs of an activation and the first parameters."""
    x: np.ndarray
    y: np.ndarray
    networks: list
    name, unit, work = "W1", "s", None
    learning_rate, epochs, loss = numpy_notebook.LEARNING_RATE, numpy_notebook.EPOCHS, "mse"

    @property
    def batch(self):
        return len(self.x)

    def judge(self, figures):
        printed = ["{:.4f} {:.4f} {:.6f} {:.6f}".format(*map(float, row)) for row in figures]
        if printed != NOTEBOOK:
            raise AssertionError(f"W1: {printed} is not what the notebook printed: {NOTEBOOK}")
        return {"final_loss": [float(row[1]) for row in figures]}


@dataclass
class Training:
    """W2 to W4: single precision, relu, rows in order; a figure is work (in units of its own) by seconds."""
    name: str
    unit: str
    work: float
    x: np.ndarray
    y: np.ndarray
    parameters: list
    learning_rate: float
    batch: int
    epochs: int
    loss: str = "mse"

    def judge(self, parameters):
        first, final = self.losses(self.parameters), self.losses(parameters)
        if not (np.isfinite(final).all() and np.mean(final) < np.mean(first)):
            raise AssertionError(f"{self.name}: the loss went from {first} to {final}")
        return {"first_loss": float(np.mean(first)), "final_loss": float(np.mean(final))}

    def losses(self, parameters):
        """The loss over all rows; W4: of each network."""
        a = self.x.astype(float)
        for w, b in parameters:
            z = a @ np.swapaxes(np.asarray(w, float), -1, -2) + np.asarray(b, float)[..., None, :]
            a = np.maximum(z, 0)
        if self.loss == "mse":
            return np.mean((z - self.y) ** 2, axis=(-1, -2))
        return np.mean(np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), self.y])


def uniform_layers(stream, widths, bound):
    """Weights from -bound(in) to bound(in), biases 0."""
    return [(stream.uniform(-bound(m), bound(m), (n, m)), np.zeros(n)) for m, n in zip(widths, widths[1:])]


def single(parameters):
    return [(w.astype(np.float32), b.astype(np.float32)) for w, b in parameters]


def w1():
    x, y = (np.ascontiguousarray(a.T) for a in numpy_notebook.data())
    return Study(x, y, [(activation, uniform_layers(np.random, widths, lambda _: 0.5))
                        for _, widths, activation in numpy_notebook.NETWORKS])


def w2():
    stream, rows, epochs = np.random.RandomState(SEED), 10_240, 5
    x, classes = stream.standard_normal((rows, 784)).astype(np.float32), stream.randint(0, 10, rows)
    parameters = single(uniform_layers(stream, [784, 512, 512, 10], lambda m: m ** -0.5))
    return Training("W2", "samples/s", rows * epochs, x, classes, parameters, 0.05, 128, epochs, "cross_entropy")


def w3():
    stream, rows, steps = np.random.RandomState(SEED), 256, 40
    x, y = (stream.standard_normal((rows, 1024)).astype(np.float32) for _ in range(2))
    parameters = single(uniform_layers(stream, [1024, 2048, 2048, 1024], lambda m: m ** -0.5))
    operations = 6 * sum(w.size + b.size for w, b in parameters) * rows * steps
    return Training("W3", "GFLOP/s", operations / 1e9, x, y, parameters, 0.5, rows, steps)


def w4():
    study, stream, count = w1(), np.random.RandomState(SEED), 256
    networks = [uniform_layers(stream, [3, 8, 8, 8, 8, 1], lambda _: 0.5) for _ in range(count)]
    parameters = single([(np.stack(ws), np.stack(bs)) for ws, bs in (zip(*layer) for layer in zip(*networks))])
    x, y = study.x.astype(np.float32), study.y.astype(np.float32)
    return Training("W4", "networks/s", count, x, y, parameters, study.learning_rate, study.batch, study.epochs)


BY_NAME = {"W1": w1, "W2": w2, "W3": w3, "W4": w4}
