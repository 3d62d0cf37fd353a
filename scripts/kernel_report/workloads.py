"""Estimates of plumb bench's workloads on an H200, from their shapes, Plumb's launches and the machine code of its kernels.

A fused kernel: the loops of a step over layers, groups of units and rows, as often as the network needs them, by the warps of a block
that is alone on its multiprocessor. What is outside of these loops is not counted: the update, sums over segments, barriers. Of a
cluster of blocks, the loops of the busiest block and the exchange of gradients between blocks.

A launch of a layered step: an empty kernel's time, and then the longest of its bytes by the global bandwidth and, for the busiest
multiprocessor, its blocks' ways through the kernel: from the entry through the main loop, as often as the shape needs it, to the exit.
"""
import dataclasses
import functools
import math
import re

import gpu
import timing


class NotModeled(Exception):
    pass


@dataclasses.dataclass
class Estimate:
    """Microseconds, with what bounds them and, for layered steps, the launches."""
    microseconds: float
    bound: str
    launches: list = dataclasses.field(default_factory=list)


def named(*names):
    return lambda instruction: instruction.name in names


def loaded(instruction):
    return instruction.bytes if instruction.name == "LDG" else 0


def stored(instruction):
    return instruction.bytes if instruction.name == "STG" else 0


def is_multiply_add(instruction):
    return instruction.kind in ("fma32", "fma64")


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


# The segments of each tile that FusedPlan chooses for 400 rows: of G1 in fp64 160, 160 and 80 rows, of 3-32-32-1 224 and 176.
G1_TILES_FP64 = [5, 5, 3]
TILES_3_32_32_1 = [7, 6]
# Rows of an iteration of the loop over a segment's rows.
ROWS_OF_ITERATION_FP32 = 8
ROWS_OF_ITERATION_FP64 = 2


def rounds(estimate, networks):
    """Network-epochs per second: each multiprocessor trains one network after the other."""
    return networks / math.ceil(networks / gpu.MULTIPROCESSORS) / estimate.microseconds * 1e6


def launch(name, ways_of_block, blocks, resident, bytes_moved=0):
    """ways_of_block: of its warps. resident: blocks that a multiprocessor has at once. bytes_moved: from and to global memory."""
    of_busiest = math.ceil(blocks / gpu.MULTIPROCESSORS)
    clocks, left = 0, of_busiest
    while left > 0:
        ways = ways_of_block * min(left, resident)
        clocks += timing.simulated(ways)
        left -= resident
    computing = clocks / gpu.CLOCK_GHZ / 1000
    moving = bytes_moved / gpu.GLOBAL_TERABYTES_PER_SECOND / 1e6
    loading = blocks * gpu.WARP * sum(loaded(instruction) for way in ways_of_block for instruction in way)
    reading = loading / gpu.CACHE_TERABYTES_PER_SECOND / 1e6
    longest = max(computing, moving, reading)
    bound = ("global" if longest == moving else "cache" if longest == reading
             else timing.bound(ways, timing.simulated(ways)))
    return name, gpu.LAUNCH_MICROSECONDS + longest, bound


@dataclasses.dataclass(frozen=True)
class Division:
    """How a kernel divides a product; as struct Division of product_tile.cuh in fp32, and those of product_tf32.cu."""
    kernel: str
    rows: int
    columns: int
    warps: int
    terms: int = 16
    ahead: int = 1  # groups of terms per iteration

    @property
    def needs(self):
        """What an iteration has of multiply-adds, or of mma with 16 x 8 x 8 of them."""
        each = self.rows * self.columns * self.terms * self.ahead
        if self.kernel.endswith("_tf32"):
            return [(named("HMMA"), each // (16 * 8 * 8)), (loaded, self.loaded)]
        return [(is_multiply_add, each // gpu.WARP), (loaded, self.loaded)]

    @property
    def loaded(self):
        """Bytes that a lane loads for an iteration."""
        return (self.rows + self.columns) * self.terms * self.ahead * 4 // gpu.WARP


class Layered:
    """The launches of a step by the layered planner, in fp32 or TF32, with kernels of small products."""

    def __init__(self, kernels, resident, tf32):
        self.kernels = kernels
        self.resident = resident
        suffix, ahead = ("_tf32", 2) if tf32 else ("_f32", 1)
        self.forward = Division("product_forward" + suffix, 16, 32, 8, ahead=ahead)
        self.input_gradient = Division("product_input_gradient" + suffix, 16, 32, 8, ahead=ahead)
        self.weight_gradient = Division("product_weight_gradients" + suffix, 32, 32, 4)

    @functools.lru_cache
    def product_ways(self, division, terms, packed):
        """The ways of a block's warps, which have every so many-th group of terms."""
        kernel = self.kernels[division.kernel]
        ways = [(way, loop) for loop in kernel.innermost for way in [kernel.iteration(loop, division.needs)] if way]
        if not ways:
            raise NotModeled("not modeled: the loops of small products were not found in the machine code")
        # 16 bytes per load, or 4.
        repeated, loop = (min if packed else max)(ways, key=lambda of: sum(i.name == "LDG" for i in of[0]))
        first = kernel.way(0, lambda node: node == loop[0], None, [(loaded, division.loaded)])
        last = kernel.iteration(loop)
        leaving = kernel.to_exit(loop[0])
        groups = math.ceil(terms / division.terms)
        times = [groups // division.warps + (warp < groups % division.warps) for warp in range(division.warps)]
        times = [math.ceil(n / division.ahead) for n in times]
        return [first + (repeated * (n - 1) + last if n else []) + leaving for n in times]

    @functools.lru_cache
    def product(self, name, division, rows, columns, terms, packed):
        tiles = math.ceil(rows / division.rows) * math.ceil(columns / division.columns)
        return launch(name, self.product_ways(division, terms, packed), tiles, self.resident[division.kernel])

    def other(self, name, blocks, loads, stores, bytes_moved=0):
        """A kernel without products, in blocks of 8 warps; loads, stores: bytes of a thread."""
        full = name if name in self.kernels else name + "_f32"
        way = self.kernels[full].to_exit(0, [(loaded, loads), (stored, stores)])
        if not way:
            raise NotModeled(f"not modeled: no way through {full} was found in the machine code")
        return launch(name, [way] * 8, blocks, self.resident[full], bytes_moved)

    def step(self, widths, rows, classes):
        """A step over so many rows, as StepPlan lists its launches. Loads of a row list count in each of them, with a list or without."""
        layers = list(zip(widths, widths[1:]))
        parameters = sum((i + 1) * o for i, o in layers)
        launches = []
        for i, o in layers:
            launches.append(self.product(f"product_forward {i}x{o}", self.forward, rows, o, i, i % 4 == 0))
        if classes:
            launches.append(self.other("softmax_loss", math.ceil(rows / 8), 4 + 4, 4 + 8))
        else:
            launches.append(self.other("loss_terms", math.ceil(rows * widths[-1] / 1024), 4 + 4, 4 + 8))
        for i, o in reversed(layers[1:]):
            launches.append(self.product(f"product_input_gradient {i}x{o}", self.input_gradient, rows, i, o, o % 4 == 0))
        launches.append(self.weight_gradients(layers, rows))
        launches.append(self.other("update_sgd", math.ceil(parameters / 4 / 256), 16 + 16, 16, 12 * parameters))
        launches.append(self.other("finish_loss_and_step", 1, 4 + 4 + 8, 8 + 4))
        total = sum(microseconds for _, microseconds, _ in launches)
        by_bound = {}
        for _, microseconds, bound in launches:
            by_bound[bound] = by_bound.get(bound, 0) + microseconds - gpu.LAUNCH_MICROSECONDS
        by_bound["launches"] = len(launches) * gpu.LAUNCH_MICROSECONDS
        return Estimate(total, max(by_bound, key=by_bound.get), launches)

    def weight_gradients(self, layers, rows):
        """All layers in one launch, with the ways of the layer that has the most tiles; a tile of db counts as one of dW."""
        tiles = {(i, o): math.ceil(o / 32) * math.ceil(i / 32) + math.ceil(o / 32) for i, o in layers}
        i, o = max(tiles, key=tiles.get)
        blocks = sum(tiles[layer] for layer in layers)
        ways = self.product_ways(self.weight_gradient, rows, i % 4 == 0 and o % 4 == 0)
        return launch("product_weight_gradients", ways, blocks, self.resident[self.weight_gradient.kernel])


def wide_layers(precision):
    """G4: cuBLAS's products as they were measured, and the bytes of the kernels between them; TFLOP/s."""
    layers, width = 8, 4096
    matrix = 4 * width * width
    operations = (3 * layers - 1) * 2 * width ** 3
    forward = 2 * layers  # Z, A
    loss = 3  # Z, Y, delta
    backward = 3 * (layers - 1) + 1  # delta, Z, delta; of the last layer, which is linear, only delta
    update = 3 * layers  # W, dW, W
    moved = (forward + loss + backward + update) * matrix
    products = operations / gpu.CUBLAS_G4[precision] / 1e6
    moving = moved / gpu.GLOBAL_TERABYTES_PER_SECOND / 1e6
    return operations / (products + moving) / 1e6


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
    layered = Layered(kernels, resident, False)
    tf32 = Layered(kernels, resident, True)
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
        "batches": lambda: layered.step([784, 512, 512, 10], 128, True),
        "batches, TF32": lambda: tf32.step([784, 512, 512, 10], 128, True),
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
    yield line("G3 fp32", "us/step", "batches", launches=True)
    yield line("G3 TF32", "us/step", "batches, TF32", launches=True)
    for precision in "fp32", "TF32":
        yield f"G4 {precision}", "TFLOP/s", wide_layers(precision), "cuBLAS", []
