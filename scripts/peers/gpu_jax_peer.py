#!/usr/bin/env python3
"""JAX on the GPU workloads: many steps are one jitted loop, G2's networks are vmap.

jax-sums writes a layer as multiplications and a sum, which XLA fuses, instead of a matrix product; jax-rows keeps a row's units
together in memory; jax-unroll unrolls the loop. bf16 rounds the factors of products; sums and parameters are in single precision.
"""
import contextlib
import os
import sys

os.environ["JAX_PLATFORMS"] = sys.argv[1]

import jax  # noqa: E402  after the platform is set
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

import gpu_data  # noqa: E402
import gpu_worker  # noqa: E402

UNROLL = 10
MANY_REPLICAS = 10_000  # their steps take long enough that a call needs fewer
PRECISIONS = {"fp64": "highest", "fp32": "highest", "tf32": "tensorfloat32", "bf16": "default"}
ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}


def matmul(x, w):
    return x @ w.T


@jax.custom_vjp
def rounded_matmul(x, w):
    """x @ w.T of single-precision matrices as a product of bfloat16 with single-precision sums, like both products of its gradient."""
    return product_of_rounded(x, w, (1, 1))


def product_of_rounded(a, b, contracted):
    a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return lax.dot_general(a, b, ((contracted[:1], contracted[1:]), ((), ())), preferred_element_type=jnp.float32)


rounded_matmul.defvjp(lambda x, w: (rounded_matmul(x, w), (x, w)),
                      lambda xw, d: (product_of_rounded(d, xw[1], (1, 0)), product_of_rounded(d, xw[0], (0, 0))))


def loss_of_rows(parameters, x, y, activation, loss, product=matmul):
    for w, b in zip(parameters[::2], parameters[1::2]):
        z = product(x, w) + b
        x = activation(z)
    if loss == "mse":
        return jnp.mean((z - y) ** 2)
    return -jnp.sum(jax.nn.log_softmax(z) * jax.nn.one_hot(y, z.shape[1])) / len(z)  # not by index: its gradient is a scatter


def loss_of_columns(parameters, x, y, activation, product):
    """The mse of x [feature][row]."""
    for w, b in zip(parameters[::2], parameters[1::2]):
        z = product(w, x) + b[:, None]
        x = activation(z)
    return jnp.mean((z - y) ** 2)


def sum_of_products(w, x):
    return jnp.sum(w[:, :, None] * x[None, :, :], axis=1)


class Trainer:
    def __init__(self, case):
        definition, activation = case.definition, ACTIVATIONS[case.activation]
        x, y = gpu_data.data(case)
        if case.workload in ("G1", "G2") and case.peer != "jax-rows":
            x, y = x.T, y.T
            product = sum_of_products if case.peer == "jax-sums" else jnp.matmul
            self.loss = lambda parameters, x, y: loss_of_columns(parameters, x, y, activation, product)
        else:
            self.loss = lambda parameters, x, y: loss_of_rows(parameters, x, y, activation, definition.loss)
        trained_loss = self.loss if case.precision != "bf16" else lambda parameters, x, y: loss_of_rows(
            parameters, x, y, activation, definition.loss, rounded_matmul)
        self.chunk = definition.final_steps if case.replicas < MANY_REPLICAS else definition.final_steps // 10
        self.many = case.workload == "G2"
        self.x, self.y, self.first = jax.device_put((x, y, gpu_data.first_parameters(case)))
        batches = definition.rows // definition.batch
        self.batches = jax.device_put(tuple(a.reshape(batches, definition.batch, *a.shape[1:]) for a in (x, y))
                                      if batches > 1 else (x, y))

        def step(parameters, batch):
            gradients = jax.grad(trained_loss)(parameters, *batch)
            return jax.tree.map(lambda p, g: p - definition.learning_rate * g, parameters, gradients), None

        def train(parameters, data):
            unroll = UNROLL if case.peer == "jax-unroll" else 1
            if batches > 1:  # a chunk is an epoch
                return lax.scan(step, parameters, data, unroll=unroll)[0]
            return lax.fori_loop(0, self.chunk, lambda _, p: step(p, data)[0], parameters, unroll=unroll)

        self.train = jax.jit(jax.vmap(train, in_axes=(0, None)) if self.many else train, donate_argnums=0)
        self.copy = jax.jit(lambda parameters: jax.tree.map(jnp.copy, parameters))

    def reset(self):
        self.parameters = self.copy(self.first)

    def run(self, chunks):
        for _ in range(chunks):
            self.parameters = self.train(self.parameters, self.batches)

    def synchronize(self):
        jax.block_until_ready(self.parameters)

    def final_loss(self):
        with jax.enable_x64(True), jax.default_matmul_precision("highest"):
            parameters, x, y = jax.tree.map(lambda a: a if a.dtype.kind == "i" else a.astype("float64"),
                                            (self.parameters, self.x, self.y))
            loss = jax.vmap(self.loss, in_axes=(0, None, None)) if self.many else self.loss
            return float(jnp.mean(jax.jit(loss)(parameters, x, y)))


@contextlib.contextmanager
def trainer_of(case):
    jax.clear_caches()
    with jax.enable_x64(case.precision == "fp64"), jax.default_matmul_precision(PRECISIONS[case.precision]):
        yield Trainer(case)


gpu_worker.serve({"version": jax.__version__, "device": jax.devices()[0].device_kind}, trainer_of)
