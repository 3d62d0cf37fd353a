package dev.plumb.bench;

import java.util.List;
import java.util.Optional;

/**
 * Everything that was measured.
 *
 * @param library what the CPU multiplies matrices with; empty where no CPU backend was measured
 * @param loadBefore see {@link Machine#load}
 */
public record BenchResult(
    Machine machine,
    Optional<String> library,
    Plan plan,
    double loadBefore,
    double loadAfter,
    List<Ceiling> ceilings,
    List<Outcome> outcomes) {}
