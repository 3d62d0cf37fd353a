package dev.plumb.bench;

import java.util.List;
import org.apache.commons.statistics.descriptive.Median;

/**
 * A figure with its spread: what several measurements of one thing gave.
 *
 * @param runs in the order they were taken, at least one
 */
public record Figure(List<Double> runs) {
  public Figure {
    runs = List.copyOf(runs);
    if (runs.isEmpty()) {
      throw new IllegalArgumentException("a figure without a measurement");
    }
  }

  public double median() {
    return Median.withDefaults().evaluate(values());
  }

  public double min() {
    return runs.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
  }

  public double max() {
    return runs.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
  }

  /** The measurements, to be changed at will. */
  public double[] values() {
    return runs.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
