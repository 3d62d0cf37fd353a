#!/usr/bin/env python3
"""JAX on the four workloads: a whole training is one jitted call of lax.scan; W4 is vmap, spread over a device a thread."""
import measuring

options = measuring.options(__doc__)
measuring.use_threads(options.threads)

import jax  # noqa: E402  after the threads are set
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402
from jax.sharding import NamedSharding, PartitionSpec  # noqa: E402

import workloads  # noqa: E402

jax.config.update("jax_num_cpu_devices", options.threads if options.workloads == ["W4"] else 1)
ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}


def loss_of_columns(parameters, x, y, activation="relu"):
    """The mse of x [feature][row]: with few features a fourth faster, and with W4's a half, than rows are."""
    for w, b in parameters:
        z = w @ x + b[:, None]
        x = ACTIVATIONS[activation](z)
    return jnp.mean((z - y) ** 2)


def loss_of_rows(parameters, x, y, loss):
    for w, b in parameters:
        z = x @ w.T + b
        x = jax.nn.relu(z)
    return jnp.mean((z - y) ** 2) if loss == "mse" else -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(z)), y])


def step(parameters, rate, loss_of, *arguments):
    loss, gradients = jax.value_and_grad(loss_of)(parameters, *arguments)
    return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), gradients, loss


def study(workload):
    def train(parameters, activation, x, y):
        def epoch(carry, _):
            parameters, gradients, loss = step(carry[0], workload.learning_rate, loss_of_columns, x, y, activation)
            return (parameters, gradients), loss
        (trained, gradients), losses = lax.scan(epoch, (parameters, parameters), length=workload.epochs)
        return losses[199], loss_of_columns(trained, x, y, activation), *(jnp.linalg.norm(gradients[i][0]) for i in (0, -2))

    @jax.jit
    def all_five(networks, x, y):
        return [train(p, activation, x, y) for p, (activation, _) in zip(networks, workload.networks)]

    arguments = jax.device_put(([p for _, p in workload.networks], workload.x.T, workload.y.T))
    return lambda: jax.block_until_ready(all_five(*arguments))


def in_batches(workload):
    def batch(parameters, rows):
        return step(parameters, workload.learning_rate, loss_of_rows, *rows, workload.loss)[::2]

    @jax.jit
    def train(parameters, x, y):
        return lax.scan(lambda p, _: lax.scan(batch, p, (x, y)), parameters, length=workload.epochs)

    x, y = (a.reshape(-1, workload.batch, *a.shape[1:]) for a in (workload.x, workload.y))
    arguments = jax.device_put((workload.parameters, x, y))
    return lambda: jax.block_until_ready(train(*arguments))[0]


def many(workload):
    def train(parameters, x, y):
        return lax.scan(lambda p, _: step(p, workload.learning_rate, loss_of_columns, x, y)[::2], parameters,
                        length=workload.epochs)

    mesh = jax.make_mesh((len(jax.devices()),), ("networks",))
    parameters = jax.device_put(workload.parameters, NamedSharding(mesh, PartitionSpec("networks")))
    x, y = jax.device_put((workload.x.T, workload.y.T), NamedSharding(mesh, PartitionSpec()))
    together = jax.jit(jax.vmap(train, in_axes=(0, None, None)))
    return lambda: jax.block_until_ready(together(parameters, x, y))[0]


for name in options.workloads:
    workload = workloads.BY_NAME[name]()
    training = {"W1": study, "W4": many}.get(name, in_batches)
    with jax.enable_x64(name == "W1"):
        measuring.measure("jax", jax.__version__, workload, options, training(workload))
