package dev.plumb.bench;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Everything that was measured.
 *
 * @param library what the CPU multiplies matrices with; empty where no CPU backend was measured
 * @param othersBusy see {@link Others#busy}
 */
public record BenchResult(
    Machine machine,
    Optional<String> library,
    Plan plan,
    OptionalDouble othersBusy,
    List<Ceiling> ceilings,
    List<Outcome> outcomes) {}
