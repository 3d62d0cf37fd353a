package dev.plumb.bench;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Everything that was measured, or that a run has measured so far.
 *
 * @param library what the CPU multiplies matrices with; empty where no CPU backend was measured
 * @param plan of the CPU's measurements
 * @param gpuPlan of the GPU's, where one was measured
 * @param notMeasured what was to be measured and could not be, and why
 * @param complete whether the run is done
 * @param othersBusy see {@link Others#busy}
 */
public record BenchResult(
    boolean complete,
    Machine machine,
    Optional<String> library,
    Plan plan,
    Optional<GpuPlan> gpuPlan,
    OptionalDouble othersBusy,
    List<Ceiling> ceilings,
    List<Outcome> outcomes,
    List<String> notMeasured) {}
