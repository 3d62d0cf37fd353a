"""What estimates consist of, and properties of instructions that select ways through a kernel."""
import dataclasses


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
