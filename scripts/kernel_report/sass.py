"""Machine code as nvdisasm -c or cuobjdump -sass prints it: the instructions of kernels, their classes, and innermost loops."""
import collections
import dataclasses
import functools
import heapq
import itertools
import re

FUNCTION = re.compile(r"^\s*Function : (\w+)|^\.text\.(\w+):")
LABEL = re.compile(r"^(\.L_x_\d+):")
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P[0-9T]+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
TARGET = re.compile(r"`\((\.L_x_\d+)\)|(0x[0-9a-f]+)$|(\.L_x_\d+)")

CLASSES = {
    "fma32": "FFMA FFMA32I",
    "fma64": "DFMA",
    "mma": "HMMA",
    "float": "FADD FADD32I FMUL FMUL32I FMNMX FSEL FSET FSETP FCHK FSWZADD DADD DMUL DMNMX DSETP DSET HFMA2 HADD2 HMUL2 HSETP2",
    "mufu": "MUFU F2F F2I I2F I2FP FRND F2FP",
    "integer": "IADD IADD3 IMAD IMNMX VIADD VIADDMNMX VIMNMX VIMNMX3 ISETP IABS LEA LOP LOP3 SHF SHL SHR SEL MOV PRMT PLOP3 POPC"
               " FLO BREV SGXT BMSK CS2R P2R R2P S2R S2UR R2UR LDC ULDC UMOV UIMAD UIADD3 UISETP USHF ULEA USEL ULOP3 UPLOP3 UPRMT"
               " VOTEU VOTE",
    "shared": "LDS STS LDSM ATOMS SHFL",
    "global": "LDG STG LD ST ATOM ATOMG RED",
    "local": "LDL STL",
    "control": "BRA BRX JMP JMX CALL RET EXIT BREAK BSSY BSYNC BAR WARPSYNC DEPBAR NOP YIELD ENDCOLLECTIVE BMOV",
}
CLASS_OF = {name: kind for kind, names in CLASSES.items() for name in names.split()}
ENDS = {"BRX", "JMP", "JMX", "RET", "EXIT"}


@dataclasses.dataclass(eq=False)
class Instruction:
    """One instruction; `jumps` are the addresses to which it may branch, `falls` whether the next one may follow it."""
    address: int
    guard: str
    opcode: str
    operands: str
    jumps: list = dataclasses.field(default_factory=list)
    falls: bool = True

    @functools.cached_property
    def name(self):
        return self.opcode.split(".")[0]

    @functools.cached_property
    def kind(self):
        return CLASS_OF.get(self.name, "other")

    @functools.cached_property
    def bytes(self):
        """Bytes per thread of a load or a store."""
        if self.kind not in ("shared", "global", "local"):
            return 0
        widths = [int(part) // 8 for part in self.opcode.split(".") if part in ("64", "128")]
        small = {"U8": 1, "S8": 1, "U16": 2, "S16": 2}
        return widths[-1] if widths else next((small[part] for part in self.opcode.split(".") if part in small), 4)


def functions(text):
    """Returns the instructions of each function, by its name."""
    code, labels = {}, {}
    current, waiting = None, []
    for line in text.splitlines():
        if function := FUNCTION.match(line):
            current = code.setdefault(function[1] or function[2], [])
        elif label := LABEL.match(line):
            waiting.append(label[1])
        elif current is not None and (found := INSTRUCTION.match(line)):
            current.append(Instruction(int(found[1], 16), found[2] or "", found[3], found[4]))
            labels.update({label: current[-1].address for label in waiting})
            waiting = []
    for instructions in code.values():
        link(instructions, labels)
    return code


def targets(instruction, labels):
    return [labels.get(label or plain) if label or plain else int(address, 16)
            for label, address, plain in TARGET.findall(instruction.operands)]


def link(instructions, labels):
    """Sets what follows each instruction. Calls return; a BSYNC continues where the BSSY of its barrier says."""
    for instruction in instructions:
        always = instruction.guard in ("", "PT")
        if instruction.name == "BRA":
            instruction.jumps = targets(instruction, labels)
            # "BRA P1, target" and "BRA.DIV UR4, target" depend on their operands, too.
            instruction.falls = not always or "," in instruction.operands
        elif instruction.name in ENDS:
            instruction.jumps = targets(instruction, labels) if instruction.name in ("BRX", "JMP", "JMX") else []
            instruction.falls = not always
    link_barriers(instructions, labels)


def link_barriers(instructions, labels):
    """Several BSSY use the same barrier: that of a BSYNC is the last one on the way from the entry."""
    places = {instruction.address: i for i, instruction in enumerate(instructions)}
    stack, seen = [(0, {})], set()
    while stack:
        i, reconvergence = stack.pop()
        while i is not None and i < len(instructions) and i not in seen:
            seen.add(i)
            instruction = instructions[i]
            if instruction.name == "BSSY":
                reconvergence = reconvergence | {instruction.operands.split(",")[0]: targets(instruction, labels)}
            elif instruction.name == "BSYNC":
                instruction.jumps = reconvergence.get(instruction.operands, [])
                instruction.falls = not (instruction.guard in ("", "PT") and instruction.jumps)
            stack += [(places[to], reconvergence) for to in instruction.jumps if to in places]
            i = i + 1 if instruction.falls else None


def successors(instructions):
    places = {instruction.address: i for i, instruction in enumerate(instructions)}
    return [sorted({places[to] for to in instruction.jumps if to in places}
                   | ({i + 1} if instruction.falls and i + 1 < len(instructions) else set()))
            for i, instruction in enumerate(instructions)]


def dominators(following):
    """Returns immediate dominators, predecessors and ranks of all that the first one reaches (Cooper, Harvey and Kennedy 2001)."""
    order, seen, stack = [], {0}, [(0, iter(following[0]))]
    while stack:
        node, rest = stack[-1]
        for to in rest:
            if to not in seen:
                seen.add(to)
                stack.append((to, iter(following[to])))
                break
        else:
            order.append(node)
            stack.pop()
    rank = {node: i for i, node in enumerate(order)}
    preceding = {node: [] for node in order}
    for node in order:
        for to in following[node]:
            preceding[to].append(node)
    above = {0: 0}

    def common(a, b):
        while a != b:
            while rank[a] < rank[b]:
                a = above[a]
            while rank[b] < rank[a]:
                b = above[b]
        return a

    changed = True
    while changed:
        changed = False
        for node in reversed(order[:-1]):
            known = [p for p in preceding[node] if p in above]
            new = known[0]
            for p in known[1:]:
                new = common(new, p)
            if above.get(node) != new:
                above[node], changed = new, True
    return above, preceding, rank


class Kernel:
    """A kernel's instructions, what may follow each of them, and its loops in the order of their addresses: each as the index of its
    head and the indices of all its instructions."""

    def __init__(self, instructions):
        self.instructions = instructions
        self.following = successors(instructions)
        ways_to = collections.Counter(to for following in self.following for to in following)
        self.joins = [ways_to[i] > 1 for i in range(len(instructions))]
        self.loops = self.natural_loops()
        heads = {head for head, _ in self.loops}
        self.innermost = [(head, body) for head, body in self.loops if not heads & body - {head}]

    def natural_loops(self):
        above, preceding, rank = dominators(self.following)
        loops = {}
        for node in above:
            for head in self.following[node]:
                over = node
                while rank[over] < rank[head]:
                    over = above[over]
                if over == head:  # a back edge: its head dominates it
                    body = loops.setdefault(head, {head})
                    stack = [node]
                    while stack:
                        at = stack.pop()
                        if at not in body:
                            body.add(at)
                            stack.extend(preceding[at])
        return sorted(loops.items())

    def body(self, loop):
        return [self.instructions[i] for i in sorted(loop[1])]

    def iteration(self, loop, needs=(), avoided=()):
        """The shortest way through a loop and back to its head; see way()."""
        return self.way(loop[0], lambda node: node == loop[0], loop[1], needs, avoided)

    def to_exit(self, start, needs=()):
        return self.way(start, lambda node: not self.following[node], None, needs)

    def way(self, start, ends, within=None, needs=(), avoided=()):
        """The instructions on the shortest way from index `start`, itself included, to before one where it `ends`; [] if there is none.

        needs: pairs of a function of an instruction and the sum of its values along the way, at least.
        avoided: names of instructions that are not on the way.
        """
        values = [[of(instruction) for instruction in self.instructions] for of, _ in needs]
        least = tuple(total for _, total in needs)
        queue, seen, order = [(0, 0, start, (0,) * len(needs), None)], set(), itertools.count(1)
        while queue:
            length, _, node, totals, trail = heapq.heappop(queue)
            if node is None:
                way = []
                while trail:
                    trail, run = trail
                    way += reversed(run)
                return [self.instructions[i] for i in reversed(way)]
            if (node, totals) in seen:
                continue
            seen.add((node, totals))
            run = []  # to where the way divides, or joins another one
            while True:
                run.append(node)
                totals = tuple(min(most, total + of[node]) for of, most, total in zip(values, least, totals))
                following = [to for to in self.following[node] if ends(to) or self.instructions[to].name not in avoided
                             and (within is None or to in within)]
                if len(following) != 1 or ends(following[0]) or self.joins[following[0]]:
                    break
                node = following[0]
            for to in following:
                if not ends(to):
                    heapq.heappush(queue, (length + len(run), next(order), to, totals, (trail, run)))
                elif totals == least:
                    heapq.heappush(queue, (length + len(run), next(order), None, totals, (trail, run)))
        return []
