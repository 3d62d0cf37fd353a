#!/usr/bin/env python3
"""PyTorch on the GPU workloads: eager steps, whole steps captured in a CUDA graph, and compiled steps in a CUDA graph.

All variants run the same step: the loss, its gradients by autograd, and one in-place update of all parameters. torch-matmul is one
matrix product of G4's shape, as an upper bound. bf16 is torch.autocast with parameters and gradients in single precision.
"""
import contextlib
import sys

import torch
from torch.nn import functional as F

import gpu_data
import gpu_worker

DEVICE = torch.device(sys.argv[1])
MAX_STEPS_PER_CHUNK = 100
MAX_VALUES_PER_CHUNK = 100_000_000  # layer outputs of all steps of a chunk: a chunk of large steps takes long enough without more
if DEVICE.type == "cpu":
    torch.set_num_threads(1)  # only to try the script: threads of small products wait for each other
ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid}


def loss_of_rows(parameters, x, y, activation, loss):
    """The loss of one network on x [row][feature]."""
    for w, b in zip(parameters[::2], parameters[1::2]):
        z = F.linear(x, w, b)
        x = activation(z)
    return F.mse_loss(z, y) if loss == "mse" else F.cross_entropy(z, y)


def loss_of_columns(parameters, x, y, activation, product):
    """The mean squared errors of many networks on x [1][feature][row], summed over the networks."""
    for w, b in zip(parameters[::2], parameters[1::2]):
        z = product(w, x.expand(len(w), -1, -1), b[:, :, None])
        x = activation(z)
    return F.mse_loss(z, y.expand_as(z), reduction="sum") / (y.shape[-1] * y.shape[-2])


def batched_product(w, x, b):
    return torch.baddbmm(b, w, x)


def sum_of_products(w, x, b):
    """The same without a matrix product, for a compiler that fuses it with what surrounds it."""
    return (w[:, :, :, None] * x[:, None, :, :]).sum(2) + b


class Trainer:
    def __init__(self, case):
        self.definition, self.peer = case.definition, case.peer
        torch.set_float32_matmul_precision("high" if case.precision == "tf32" else "highest")
        self.first = [torch.from_numpy(p).to(DEVICE) for p in gpu_data.first_parameters(case)]
        self.x, self.y = (torch.from_numpy(a).to(DEVICE) for a in gpu_data.data(case))
        activation = ACTIVATIONS[case.activation]
        if case.workload == "G2" or self.peer.endswith("-sums"):
            self.first = [p if case.workload == "G2" else p[None] for p in self.first]
            self.x, self.y = (a.T.contiguous()[None] for a in (self.x, self.y))
            product = sum_of_products if self.peer.endswith("-sums") else batched_product
            self.loss = lambda parameters, x, y: loss_of_columns(parameters, x, y, activation, product)
            self.batches = [(self.x, self.y)]
        else:
            self.loss = lambda parameters, x, y: loss_of_rows(parameters, x, y, activation, self.definition.loss)
            if case.precision == "bf16":
                self.in_single, self.loss = self.loss, self.autocast_loss
            self.batches = list(zip(*(a.split(self.definition.batch) for a in (self.x, self.y))))
        compiled = self.peer.startswith("torch-compile")
        self.parameters = [p.clone().requires_grad_(not compiled) for p in self.first]  # torch.func.grad needs no such mark
        self.chunk = len(self.batches) if len(self.batches) > 1 else self.steps_per_chunk(case.replicas)
        self.step = torch.compile(self.functional_step, dynamic=False, fullgraph=True) if compiled else self.eager_step
        self.graph = None
        if DEVICE.type == "cuda" and self.peer != "torch-eager":
            self.graph = self.captured()

    def steps_per_chunk(self, replicas):
        """A divisor of the steps up to the final loss."""
        values = replicas * self.definition.batch * sum(self.definition.widths)
        largest = min(MAX_STEPS_PER_CHUNK, max(1, MAX_VALUES_PER_CHUNK // values))
        return max(n for n in range(1, largest + 1) if self.definition.final_steps % n == 0)

    def autocast_loss(self, parameters, x, y):
        # Not cached: each weight is used once per step, and a graph must not keep the rounded weights of an earlier one.
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16, cache_enabled=False):
            return self.in_single(parameters, x, y)

    def eager_step(self, parameters, x, y):
        gradients = torch.autograd.grad(self.loss(parameters, x, y), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-self.definition.learning_rate)

    def functional_step(self, parameters, x, y):
        """The same in the form that a compiler takes as one graph."""
        gradients = torch.func.grad(self.loss)(parameters, x, y)
        torch._foreach_add_(parameters, gradients, alpha=-self.definition.learning_rate)

    def run_chunk(self):
        for i in range(self.chunk):
            self.step(self.parameters, *self.batches[i % len(self.batches)])

    def captured(self):
        """A graph of a whole chunk. The steps before it compile, tune and load on a side stream what a capture may not."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for i in range(3):
                self.step(self.parameters, *self.batches[i % len(self.batches)])
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run_chunk()
        return graph

    def reset(self):
        with torch.no_grad():
            torch._foreach_copy_(self.parameters, self.first)

    def run(self, chunks):
        for _ in range(chunks):
            self.graph.replay() if self.graph else self.run_chunk()

    def synchronize(self):
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def final_loss(self):
        y = self.y if self.y.dtype == torch.int64 else self.y.double()
        parameters = [p.double() for p in self.parameters]
        networks = len(parameters[0]) if parameters[0].dim() == 3 else 1
        loss = getattr(self, "in_single", self.loss)  # without autocast
        return loss(parameters, self.x.double(), y).item() / networks


class MatrixProduct:
    def __init__(self, case):
        torch.set_float32_matmul_precision("high" if case.precision == "tf32" else "highest")
        self.chunk = 1
        self.x, self.w = (torch.from_numpy(a).to(DEVICE, torch.bfloat16 if case.precision == "bf16" else None)
                          for a in (gpu_data.data(case)[0], gpu_data.first_parameters(case)[0]))
        self.out = torch.empty_like(self.x)

    def reset(self):
        pass

    def run(self, products):
        for _ in range(products):
            torch.mm(self.x, self.w.T, out=self.out)

    def synchronize(self):
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    def final_loss(self):
        return None


@contextlib.contextmanager
def trainer_of(case):
    if DEVICE.type == "cuda":
        torch.cuda.empty_cache()  # the memory of the case before
    if case.peer == "torch-graph" and DEVICE.type != "cuda":
        raise gpu_worker.NotPossible("needs a GPU")
    try:
        yield MatrixProduct(case) if case.peer == "torch-matmul" else Trainer(case)
    finally:
        torch._dynamo.reset()


gpu_worker.serve({"version": torch.__version__,
                  "device": torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU",
                  "cuda": torch.version.cuda}, trainer_of)
