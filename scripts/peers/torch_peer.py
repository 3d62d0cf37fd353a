#!/usr/bin/env python3
"""PyTorch on the four workloads, eager and with the loss compiled; W4 is batched matmuls."""
import measuring

options = measuring.options(__doc__)
measuring.use_threads(options.threads)

import torch  # noqa: E402  after the threads are set
from torch.nn import functional as F  # noqa: E402

import workloads  # noqa: E402

torch.set_num_threads(options.threads)
ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid}


def loss_of_columns(parameters, x, y, activation):
    """The mse of x [feature][row], summed over the networks: with few features faster than rows are."""
    for w, b in parameters:
        z = torch.addmm(b[:, None], w, x) if w.dim() == 2 else torch.baddbmm(b[:, :, None], w, x.expand(len(w), -1, -1))
        x = ACTIVATIONS[activation](z)
    return (z - y).square().mean((-1, -2)).sum()


def loss_of_rows(parameters, x, y, loss):
    for w, b in parameters:
        z = F.linear(x, w, b)
        x = torch.relu(z)
    return F.mse_loss(z, y) if loss == "mse" else F.cross_entropy(z, y)


def train(loss_of, first, x, y, last_argument, workload):
    """The trained parameters, with the last step's gradients, and each step's loss; x and y are lists of batches."""
    parameters = [tuple(torch.tensor(p).requires_grad_() for p in layer) for layer in first]
    optimizer = torch.optim.SGD([p for layer in parameters for p in layer], lr=workload.learning_rate, fused=True)
    losses = []
    for _ in range(workload.epochs):
        for batch in zip(x, y):
            optimizer.zero_grad()
            loss = loss_of(parameters, *batch, last_argument)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return parameters, losses


def study(workload, way):
    loss_of, x, y = way(loss_of_columns), torch.tensor(workload.x.T), torch.tensor(workload.y.T)

    def all_five():
        for activation, first in workload.networks:
            parameters, losses = train(loss_of, first, [x], [y], activation, workload)
            with torch.no_grad():
                final = loss_of_columns(parameters, x, y, activation)
            yield losses[199], final, parameters[0][0].grad.norm(), parameters[-2][0].grad.norm()
    return lambda: list(all_five())


def trained(workload, way):
    if workload.name == "W4":
        loss_of, x, y, last_argument = loss_of_columns, [torch.tensor(workload.x.T)], [torch.tensor(workload.y.T)], "relu"
    else:
        x, y = (torch.tensor(a).split(workload.batch) for a in (workload.x, workload.y))
        loss_of, last_argument = loss_of_rows, workload.loss
    loss_of = way(loss_of)

    def run():
        parameters, _ = train(loss_of, workload.parameters, x, y, last_argument, workload)
        return [[p.detach().numpy() for p in layer] for layer in parameters]
    return run


for name in options.workloads:
    workload = workloads.BY_NAME[name]()
    training = study if name == "W1" else trained
    for peer, way in [("torch", lambda f: f), ("torch.compile", lambda f: torch.compile(f, dynamic=False))]:
        measuring.measure(peer, torch.__version__, workload, options, training(workload, way))
