package dev.plumb.check;

import dev.plumb.backend.StepMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The metrics of several waits as one, without the steps that only a check had recorded. */
final class RecordedSteps {
  private final List<StepMetrics> parts = new ArrayList<>();

  /** @param wanted whether they were to be recorded */
  void add(StepMetrics metrics, boolean wanted) {
    if (wanted) {
      parts.add(metrics);
    }
  }

  /** All since the last call; the last part added must have been wanted, for what it says of non-finite steps. */
  StepMetrics take() {
    StepMetrics all = new StepMetrics(
        parts.stream().flatMapToLong(part -> Arrays.stream(part.steps())).toArray(),
        parts.stream().flatMap(part -> Arrays.stream(part.loss())).toArray(double[][]::new),
        parts.stream().flatMap(part -> Arrays.stream(part.gradientNorms())).toArray(double[][][]::new),
        parts.get(parts.size() - 1).firstNonFinite());
    parts.clear();
    return all;
  }
}
