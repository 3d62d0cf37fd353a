"""Clocks that the warps of one multiprocessor take for a path through a kernel."""
import collections
import functools
import heapq
import re

import gpu

REGISTER = re.compile(r"\b(U?R\d+|U?P\d)\b(\.64)?")
# The largest term bounds a multiprocessor, unless its share of the clocks is less than this: then latency does.
BOUND_SHARE = 0.7
ITERATIONS = 8


def is_fp64(instruction):
    return instruction.name[0] == "D" and instruction.kind in ("fma64", "float")


def pipe(instruction):
    return "fp64" if is_fp64(instruction) else instruction.kind


def path_clocks(instruction):
    """Clocks for which an instruction of a warp keeps the multiprocessor's path to shared and global memory busy."""
    size = 4 if instruction.name == "SHFL" else 0 if instruction.kind == "local" else instruction.bytes
    return size * gpu.WARP / gpu.PATH_BYTES_PER_CLOCK


def terms(ways):
    """Clocks for which the busiest scheduler, its pipes and the path are busy, by their names. ways: one for each warp."""
    busy = collections.Counter()
    for warp, way in enumerate(ways):
        scheduler = warp % gpu.SCHEDULERS
        for instruction in way:
            busy["issue", scheduler] += 1
            busy["shared", 0] += path_clocks(instruction)
            if pipe(instruction) in gpu.PIPE_CLOCKS:
                busy[pipe(instruction), scheduler] += gpu.PIPE_CLOCKS[pipe(instruction)]
    most = {}
    for (name, _), clocks in busy.items():
        most[name] = max(most.get(name, 0), clocks)
    return most


def bound(ways, clocks):
    name, most = max(terms(ways).items(), key=lambda term: term[1])
    return name if most >= BOUND_SHARE * clocks else "latency"


def simulated(ways):
    """Clocks until warps have the results of all their instructions. ways: the instructions of each warp.

    A warp issues its instructions in order, each when its operands are there; a scheduler issues one per clock, from the warp that
    could have issued first. Barriers take a constant time. Caches, bank conflicts and the limits of queues are not modeled.
    """
    schedulers = [collections.Counter() for _ in range(gpu.SCHEDULERS)]
    path, end = 0, 0
    ready = [{} for _ in ways]
    queue = [(0, warp, 0) for warp, way in enumerate(ways) if way]
    while queue:
        planned, warp, at = heapq.heappop(queue)
        instruction, own = ways[warp][at], ready[warp]
        scheduler = schedulers[warp % gpu.SCHEDULERS]
        written, read = registers(instruction)
        name = pipe(instruction)
        start = max([planned, scheduler["issue"], scheduler[name]] + [own.get(register, 0) for register in read])
        if start > planned:
            heapq.heappush(queue, (start, warp, at))
            continue
        scheduler["issue"] = start + 1
        scheduler[name] = start + gpu.PIPE_CLOCKS.get(name, 1)
        done = start
        if clocks := path_clocks(instruction):
            path = done = max(path, start) + clocks
        done += gpu.LATENCY[name]
        own.update(dict.fromkeys(written, done))
        end = max(end, done)
        following = start + 1
        if at + 1 < len(ways[warp]):
            if instruction.name == "BAR":
                following = start + gpu.BARRIER_CLOCKS
            elif ways[warp][at + 1].address in instruction.jumps:
                following = start + gpu.TAKEN_BRANCH_CLOCKS
            heapq.heappush(queue, (following, warp, at + 1))
    return end


def of_iteration(way):
    """Clocks per iteration of a long loop for the only warp on a multiprocessor."""
    return (simulated([way * ITERATIONS]) - simulated([way])) / (ITERATIONS - 1)


@functools.lru_cache(maxsize=None)
def registers(instruction):
    """The registers and predicates that an instruction writes, and those that it reads."""
    operands = instruction.operands.split(", ")
    writes = instruction.name not in ("STS", "STG", "STL", "ST", "RED") and instruction.kind != "control"
    moves = instruction.kind in ("shared", "global", "local")
    moved = max(1, instruction.bytes // 4)
    if instruction.kind == "mma":
        # m16n8k8 of TF32: sums += a . b.
        spans = [span(REGISTER.findall(operand)[0][0], width) if REGISTER.search(operand) else []
                 for operand, width in zip(operands, (4, 4, 2, 4))]
        return spans[0], sum(spans[1:], [instruction.guard.strip("!")])
    width = moved if moves else 2 if is_fp64(instruction) or ".WIDE" in instruction.opcode else 1
    written, read = [], [instruction.guard.strip("!")]
    for place, operand in enumerate(operands):
        names = REGISTER.findall(operand)
        # A comparison writes one or two predicates; other instructions write one register, and perhaps a predicate as a carry.
        if writes and names and (place == 0 or place == 1 and re.fullmatch(r"U?P\d", operand)):
            written += span(names[0][0], width)
            continue
        for name, pair in names:
            data = moves and "[" not in operand
            read += span(name, moved if data else 2 if pair or is_fp64(instruction) else 1)
    return written, read


def span(name, count):
    """The names of `count` registers from one on."""
    letters = name.rstrip("0123456789")
    return [name] if letters.endswith("P") else [f"{letters}{int(name[len(letters):]) + i}" for i in range(count)]
