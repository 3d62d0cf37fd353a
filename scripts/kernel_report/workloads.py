"""Estimates of plumb bench's workloads on an H200, from their shapes, Plumb's launches and the machine code of its kernels.

A fused kernel: the loops of a step over layers, groups of units and rows, as often as the network needs them, by the warps of a block
that is alone on its multiprocessor. What is outside of these loops is not counted: the update, sums over segments, barriers. Of a
cluster of blocks, the loops of the busiest block and the exchange of gradients between blocks.

Layered steps are in layered.py.
"""
import functools
import math
import re

import gpu
import timing
from estimate import Estimate, NotModeled, is_multiply_add, named
from layered import OwnProducts, WithCublas


def iteration(kernels, needs, avoided=(), innermost=True):
    """The shortest way through a loop of one of the kernels, but for loops around one that has such a way; see sass.Kernel.way()."""
    found = []
    for kernel in kernels:
        ways = {}
        for loop in sorted(kernel.innermost if innermost else kernel.loops, key=lambda loop: len(loop[1])):
            body = kernel.body(loop)
            if all(sum(map(of, body)) >= least for of, least in needs) and not ways.keys() & loop[1]:
                if way := kernel.iteration(loop, needs, avoided):
                    ways[loop[0]] = way
        found += ways.values()
    if not found:
        raise NotModeled("not modeled: its loops were not found in the machine code")
    return min(found, key=len)


def fused(ways):
    clocks = timing.simulated(ways)
    return Estimate(clocks / gpu.CLOCK_GHZ / 1000, timing.bound(ways, clocks))


# G1 and G2: 3-8x8-1, 400 rows, which are 13 segments of a warp's rows. The first and the last layer together count as a hidden one.
HIDDEN = 8
WIDTH = 8
SEGMENTS = 13
G1_WIDTHS = (3,) + (WIDTH,) * HIDDEN + (1,)
# One iteration of the narrow kernels' loop over a segment's rows has 8 of them: for each 4 x 4 multiply-adds, and 4 additions for the
# bias.
ROWS_OF_ITERATION = 8
OF_LAYER = (is_multiply_add, WIDTH * WIDTH)


def of_rows(count):
    return [(is_multiply_add, 16 * count), (named("FADD", "DADD"), 4 * count)]


def segment(ahead, back, rows):
    return (ahead + back) * HIDDEN + rows * (gpu.WARP // ROWS_OF_ITERATION)


# The number of an activation's instructions in a layer, forward and backward.
RELU = [(named("FMNMX"), WIDTH)], [(named("FSET"), WIDTH)]
SIGMOID = [(named("MUFU"), 2 * WIDTH), (named("FADD"), 2 * WIDTH)], [(named("FMUL"), 2 * WIDTH)]


def narrow(kernels, forward, backward, segments=SEGMENTS):
    """A step of fused_narrow, whose kernels these are, or of a block of fused_cluster that has so many segments."""
    ahead = iteration(kernels, [OF_LAYER] + forward, ["FSET"])
    back = iteration(kernels, [OF_LAYER] + backward, ["MUFU", "FMNMX"])
    return fused([segment(ahead, back, iteration(kernels, of_rows(ROWS_OF_ITERATION)))] * segments)


def cluster(kernels, forward, backward):
    """A step of fused_cluster: the segments of the busiest block, and the exchange of gradients."""
    segments = math.ceil(SEGMENTS / gpu.CLUSTER_BLOCKS)
    step = narrow(kernels, forward, backward, segments)
    vector = 4 * (HIDDEN + 1) * (WIDTH * WIDTH + WIDTH)
    sending = (segments + 1) * vector / gpu.REMOTE_BYTES_PER_CLOCK
    sums = math.ceil(SEGMENTS / 4) * (gpu.LATENCY["shared"] + 4 * gpu.LATENCY["float"])
    exchange = sending + sums + 2 * gpu.CLUSTER_BARRIER_CLOCKS + gpu.LATENCY["global"]
    return Estimate(step.microseconds + exchange / gpu.CLOCK_GHZ / 1000, step.bound)


class General:
    """Steps of fused_train, which a warp takes through groups of 8 units, or of 16 where layers are wider, and of which it then sums
    items of gradients, a lane for each, in rounds."""

    GROUP, WIDE_GROUP = 8, 16
    TERMS = 8  # of an iteration of the loop over a group's terms
    # Instructions of an activation that have no place on the way of another one, and those that each unit has.
    RELU = ["MUFU", "FADD", "DADD", "DMUL"], []
    TANH = [], [(named("MUFU"), 2)]

    def __init__(self, kernel, rows_of_iteration, activation):
        self.kernel = kernel
        self.rows_of_iteration = rows_of_iteration
        self.others, self.activation = activation

    def group(self, units, terms, needs, avoided):
        """The way of a group; its terms are whole iterations, or less than one."""
        of_way = min(terms, self.TERMS)
        way = iteration([self.kernel], [(is_multiply_add, units * of_way)] + needs, avoided, innermost=False)
        if terms == of_way:
            return way
        loop = min((self.kernel.iteration(loop) for loop in self.kernel.innermost
                    if sum(map(is_multiply_add, self.kernel.body(loop))) == units * self.TERMS
                    and not any(named("FADD", "DADD", "STS")(i) for i in self.kernel.body(loop))), key=len)
        return loop * (terms // self.TERMS - 1) + way

    @functools.lru_cache(None)
    def forward(self, units, terms, last):
        if last:
            return self.group(units, terms, [(named("STS"), units)], self.RELU[0] + ["FSET", "DSETP", "FMNMX", "FSEL"])
        # A and f' of each unit.
        needs = [(of, units * least) for of, least in self.activation]
        return self.group(units, terms, [(named("STS"), 2 * units)] + needs, self.others)

    @functools.lru_cache(None)
    def backward(self, units, terms):
        return self.group(units, terms, [(named("STS"), units), (named("FMUL", "DMUL"), units)], ["MUFU"])

    def groups(self, units):
        group = self.WIDE_GROUP if units > self.GROUP else self.GROUP
        return [group if units - first > self.GROUP else self.GROUP for first in range(0, units, group)]

    def step(self, widths, tiles):
        """widths: of at most one iteration's terms, or of whole iterations'. tiles: the warps of each tile."""
        layers = list(zip(widths, widths[1:]))
        way = []
        for place, (terms, units) in enumerate(layers):
            for group in self.groups(units):
                way += self.forward(group, terms, place == len(layers) - 1)
        for units, terms in reversed(layers[1:]):
            for group in self.groups(units):
                way += self.backward(group, terms)
        items = sum(math.ceil(i / 4) * math.ceil(o / 4) for i, o in layers)
        rows = iteration([self.kernel], of_rows(self.rows_of_iteration))
        way += rows * (gpu.WARP // self.rows_of_iteration * math.ceil(items / gpu.WARP))
        estimates = [fused([way] * warps) for warps in tiles]
        return Estimate(sum(tile.microseconds for tile in estimates), estimates[0].bound)


G3_WIDTHS = [784, 512, 512, 10]
# Its products: all of a step, and the floating-point operations of one.
G4_LAYERS, G4_WIDTH = 8, 4096
G4_PRODUCTS = 3 * G4_LAYERS - 1
G4_PRODUCT = 2 * G4_WIDTH ** 3

# The segments of each tile that FusedPlan chooses for 400 rows: of G1 in fp64 160, 160 and 80 rows, of 3-32-32-1 224 and 176.
G1_TILES_FP64 = [5, 5, 3]
TILES_3_32_32_1 = [7, 6]
# Rows of an iteration of the loop over a segment's rows.
ROWS_OF_ITERATION_FP32 = 8
ROWS_OF_ITERATION_FP64 = 2


def rounds(estimate, networks):
    """Network-epochs per second: each multiprocessor trains one network after the other."""
    return networks / math.ceil(networks / gpu.MULTIPROCESSORS) / estimate.microseconds * 1e6


def measured(text):
    """The latest figure of each workload in MEASURED.md, whose sections begin with the newest, and of fused steps of 400 rows."""
    figures, place, networks = {}, None, []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            place, networks = None, []
        elif cells[:2] == ["workload", "unit"]:
            place = next((cells.index(name) for name in ("now", "Plumb") if name in cells), None)
        elif cells[0] == "batch":
            networks = cells[1:]
        elif cells[0] == "400":
            for network, values in zip(networks, cells[1:]):
                figures.setdefault(f"{network}, fused", float(values.split(" / ")[0]))
        elif place and re.match(r"G\d ", cells[0]):
            *first, last = cells[0].split(", ")
            values = re.sub(r"\[.*?\]", "", cells[place]).split(" / ")
            for name, value in zip(last.split(" / "), values):
                value = value.replace(",", "").strip()
                if re.fullmatch(r"[\d.]+", value):
                    figures.setdefault(", ".join(first + [name]), float(value))
    return figures


def estimates(kernels, resident):
    """Yields (workload as in MEASURED.md, unit, estimate, what bounds it, launches) or (workload, unit, why it is not modeled).

    kernels: machine code by name. resident: blocks per multiprocessor by name."""
    layered = OwnProducts(kernels, resident, False)
    tf32 = OwnProducts(kernels, resident, True)
    # Forward, input gradient and weight gradient of a layer by cuBLAS.
    g3_products = {layer: dict(zip(("forward", "input_gradient", "weight_gradient"), of))
                   for layer, of in gpu.CUBLAS_G3_TF32_MICROSECONDS.items()}

    def wide(precision, bandwidth=gpu.GLOBAL_TERABYTES_PER_SECOND):
        step = WithCublas(kernels, resident, precision, bandwidth)
        return step.step([G4_WIDTH] * (G4_LAYERS + 1), G4_WIDTH, False, False,
                         lambda kind, i, o: G4_PRODUCT / gpu.CUBLAS_G4[precision] / 1e6)
    of_narrow = [kernel for name, kernel in sorted(kernels.items())
                 if name.startswith("fused_narrow") and "_weighted" not in name]
    of_cluster = [kernel for name, kernel in sorted(kernels.items()) if name.startswith("fused_cluster")]
    general, of_tanh = (General(kernels["fused_train_f32"], ROWS_OF_ITERATION_FP32, activation)
                        for activation in (General.RELU, General.TANH))
    models = {
        "relu": lambda: narrow(of_narrow, *RELU),
        "sigmoid": lambda: narrow(of_narrow, *SIGMOID),
        "relu, cluster": lambda: cluster(of_cluster, *RELU),
        "sigmoid, cluster": lambda: cluster(of_cluster, *SIGMOID),
        "fp64": lambda: General(kernels["fused_train_f64"], ROWS_OF_ITERATION_FP64, General.RELU).step(G1_WIDTHS, G1_TILES_FP64),
        "3-32-32-1": lambda: general.step((3, 32, 32, 1), TILES_3_32_32_1),
        "3-32-32-1, tanh": lambda: of_tanh.step((3, 32, 32, 1), TILES_3_32_32_1),
        "3-16-16-1": lambda: general.step((3, 16, 16, 1), [SEGMENTS]),
        "layered": lambda: layered.step([3] + [WIDTH] * HIDDEN + [1], 400, False),
        "batches": lambda: layered.step(G3_WIDTHS, 128, True),
        "batches, TF32": lambda: tf32.step(G3_WIDTHS, 128, True),
        "batches, bf16": lambda: WithCublas(kernels, resident, "bf16").step(
            G3_WIDTHS, 128, True, True, lambda kind, i, o: g3_products[i, o][kind]),
        "wide, fp32": lambda: wide("fp32"),
        "wide, TF32": lambda: wide("TF32"),
        "wide, bf16": lambda: wide("bf16"),
        "wide, bf16, H100": lambda: wide("bf16", gpu.H100_GLOBAL_TERABYTES_PER_SECOND),
    }
    known = {}

    def modeled(name):
        if name not in known:
            try:
                known[name] = models[name]()
            except NotModeled as e:
                known[name] = e
        return known[name]

    def line(workload, unit, name, figure=lambda estimate: estimate.microseconds, launches=False):
        estimate = modeled(name)
        if isinstance(estimate, NotModeled):
            return workload, unit, str(estimate)
        return workload, unit, figure(estimate), estimate.bound, estimate.launches if launches else []

    yield line("G1 fp32, fused", "us/epoch", "relu")
    yield line("G1 fp32, sigmoid, fused", "us/epoch", "sigmoid")
    yield line("G1 fp32, cluster", "us/epoch", "relu, cluster")
    yield line("G1 fp32, sigmoid, cluster", "us/epoch", "sigmoid, cluster")
    yield line("G1 fp32, layered", "us/epoch", "layered", launches=True)
    for precision, name in ("fp32", "relu"), ("fp64", "fp64"):
        for count in 1, 132, 1024, 16384:
            yield line(f"G2 {precision}, {count:,}", "networks/s", name, lambda estimate: rounds(estimate, count))
    for name in "3-16-16-1", "3-32-32-1", "3-32-32-1, tanh":
        yield line(f"{name}, fused", "us/step", name)
    for precision, name in ("fp32", "batches"), ("TF32", "batches, TF32"), ("bf16", "batches, bf16"):
        yield line(f"G3 {precision}", "us/step", name, launches=True)
    for name in "fp32", "TF32", "bf16", "bf16, H100":
        yield line(f"G4 {name}", "TFLOP/s", f"wide, {name}", lambda estimate: G4_PRODUCTS * G4_PRODUCT / estimate.microseconds / 1e6,
                   launches=True)
