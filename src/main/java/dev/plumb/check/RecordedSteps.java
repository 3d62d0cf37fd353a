package dev.plumb.check;

import dev.plumb.backend.StepMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The metrics of several calls of sync joined into one, without the steps that were recorded only for a check. */
final class RecordedSteps {
  private final List<StepMetrics> parts = new ArrayList<>();

  /** @param wanted whether the caller asked to record these steps */
  void add(StepMetrics metrics, boolean wanted) {
    if (wanted) {
      parts.add(metrics);
    }
  }

  /** Returns all metrics since the last call; the last part added must be a wanted one, since its non-finite steps count. */
  StepMetrics take() {
    StepMetrics joined = new StepMetrics(
        parts.stream().flatMapToLong(part -> Arrays.stream(part.steps())).toArray(),
        parts.stream().flatMap(part -> Arrays.stream(part.loss())).toArray(double[][]::new),
        parts.stream().flatMap(part -> Arrays.stream(part.gradientNorms())).toArray(double[][][]::new),
        parts.get(parts.size() - 1).firstNonFinite());
    parts.clear();
    return joined;
  }
}
