package dev.plumb.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A linear or logarithmic axis: maps values to positions from 0 to 1, and has ticks. Values must be finite, on a logarithmic axis
 * positive.
 */
final class Axis {
  /** A labeled value on the axis. */
  record Tick(double value, String label) {}

  private static final int MAX_TICKS = 7;
  private static final int MAX_DECADE_TICKS = 7;

  /** Margin beyond the smallest and the largest value, as a fraction of the axis. */
  private static final double MARGIN = 0.04;

  /** Relative difference below which values count as equal: the labels of several ticks would need too many digits. */
  private static final double FLAT = 1e-5;

  /** Values are clamped to this magnitude, so that their differences are finite. */
  private static final double MAX_MAGNITUDE = 1e300;

  private final boolean log;
  private final double min;
  private final double max;
  private final List<Tick> ticks = new ArrayList<>();

  private Axis(boolean log, double min, double max) {
    this.log = log;
    this.min = min;
    this.max = max;
  }

  /**
   * Returns an axis from the smallest to the largest value with margins; from 0 if the smallest is near 0. A single value gets
   * one tick.
   */
  static Axis linear(double smallest, double largest) {
    double low = Math.max(-MAX_MAGNITUDE, Math.min(MAX_MAGNITUDE, smallest));
    double high = Math.max(-MAX_MAGNITUDE, Math.min(MAX_MAGNITUDE, largest));
    boolean flat = !(step(high - low) > 0) || high - low < FLAT * Math.max(Math.abs(low), Math.abs(high));
    if (flat) {
      double around = Math.max(Math.abs(low) / 10, Double.MIN_NORMAL * 1e6);
      low -= around;
      high += around;
    }
    double margin = MARGIN * (high - low);
    double start = low >= 0 && low < 0.3 * high ? 0 : low - margin;
    Axis axis = new Axis(false, flat ? low : start, high + margin);
    if (flat) {
      axis.ticks.add(new Tick(smallest, Format.brief(smallest)));
    } else {
      axis.addSteps();
    }
    return axis;
  }

  /** Returns an axis for whole numbers, for example epochs, from the first to the last without margins. */
  static Axis whole(int first, int last) {
    Axis axis = new Axis(false, first == last ? first - 0.5 : first, first == last ? last + 0.5 : last);
    double step = Math.max(1, step(last - first));
    for (double value = Math.ceil(first / step) * step; value <= last; value += step) {
      axis.ticks.add(new Tick(value, Format.whole((long) value)));
    }
    return axis;
  }

  /** Returns a logarithmic axis with ticks at powers of ten, and between them if there are few. */
  static Axis log(double smallest, double largest) {
    double low = Math.log10(smallest);
    double high = Math.log10(largest);
    if (high - low < 0.02) {
      low -= 0.05;
      high += 0.05;
    }
    double margin = MARGIN * (high - low);
    Axis axis = new Axis(true, low - margin, high + margin);
    int first = (int) Math.ceil(axis.min);
    int last = (int) Math.floor(axis.max);
    int every = Math.max(1, (int) Math.ceil((last - first + 1) / (double) MAX_DECADE_TICKS));
    for (int decade = first; decade <= last; decade++) {
      if (Math.floorMod(decade, every) == 0) {
        axis.ticks.add(new Tick(Math.pow(10, decade), decade >= -3 && decade <= 4
            ? Format.brief(Math.pow(10, decade))
            : "1e" + decade));
      }
    }
    if (axis.max - axis.min < 2.5) {
      for (int decade = first - 1; decade <= last; decade++) {
        axis.addIfInside(2 * Math.pow(10, decade));
        axis.addIfInside(5 * Math.pow(10, decade));
      }
    }
    axis.ticks.sort(Comparator.comparingDouble(Tick::value));
    if (axis.ticks.size() < 2) {
      axis.ticks.clear();
      axis.ticks.addAll(linear(Math.pow(10, axis.min), Math.pow(10, axis.max)).ticks);
      axis.ticks.removeIf(tick -> !(tick.value() > 0) || axis.at(tick.value()) < 0 || axis.at(tick.value()) > 1);
    }
    return axis;
  }

  boolean isLog() {
    return log;
  }

  /** Returns the position of a value: 0 at the low end, 1 at the high end. */
  double at(double value) {
    double coordinate = log ? Math.log10(value) : Math.max(-MAX_MAGNITUDE, Math.min(MAX_MAGNITUDE, value));
    return (coordinate - min) / (max - min);
  }

  List<Tick> ticks() {
    return List.copyOf(ticks);
  }

  private void addSteps() {
    double step = step(max - min);
    for (double at = Math.ceil(min / step); at * step <= max; at++) {
      ticks.add(new Tick(at * step, Format.tick(at * step, step)));
    }
  }

  private void addIfInside(double value) {
    if (at(value) >= 0 && at(value) <= 1) {
      ticks.add(new Tick(value, Format.brief(value)));
    }
  }

  /** Returns 1, 2 or 5 times a power of ten, large enough for at most {@value #MAX_TICKS} ticks in the range. */
  private static double step(double range) {
    double minStep = range / (MAX_TICKS - 1);
    double power = Math.pow(10, Math.floor(Math.log10(minStep)));
    for (int times : new int[] {1, 2, 5}) {
      if (times * power >= minStep) {
        return times * power;
      }
    }
    return 10 * power;
  }
}
