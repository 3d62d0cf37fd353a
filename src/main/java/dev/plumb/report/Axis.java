package dev.plumb.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Where values lie between the ends of a drawing, 0 to 1, and where its ticks are. For finite values alone, and for a logarithmic
 * axis positive ones.
 */
final class Axis {
  record Tick(double value, String label) {}

  private static final int MAX_TICKS = 7;
  private static final int MAX_DECADE_TICKS = 7;

  /** Free room beyond the outermost values, as a share of the axis. */
  private static final double ROOM = 0.04;

  /** What differs by less than this share of itself is shown as one: the digits that tell its ticks apart would not fit. */
  private static final double FLAT = 1e-5;

  /** The difference of two values must be a number too. */
  private static final double LARGEST = 1e300;

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
   * From the smallest to the largest value with some room; from 0 where the smallest is near it. One value alone is the only
   * tick.
   */
  static Axis linear(double smallest, double largest) {
    double low = Math.max(-LARGEST, Math.min(LARGEST, smallest));
    double high = Math.max(-LARGEST, Math.min(LARGEST, largest));
    boolean flat = !(step(high - low) > 0) || high - low < FLAT * Math.max(Math.abs(low), Math.abs(high));
    if (flat) {
      double around = Math.max(Math.abs(low) / 10, Double.MIN_NORMAL * 1e6);
      low -= around;
      high += around;
    }
    double room = ROOM * (high - low);
    double start = low >= 0 && low < 0.3 * high ? 0 : low - room;
    Axis axis = new Axis(false, flat ? low : start, high + room);
    if (flat) {
      axis.ticks.add(new Tick(smallest, Figures.brief(smallest)));
    } else {
      axis.addSteps();
    }
    return axis;
  }

  /** Of whole numbers like epochs, ends exactly at them. */
  static Axis whole(int first, int last) {
    Axis axis = new Axis(false, first == last ? first - 0.5 : first, first == last ? last + 0.5 : last);
    double step = Math.max(1, step(last - first));
    for (double value = Math.ceil(first / step) * step; value <= last; value += step) {
      axis.ticks.add(new Tick(value, Figures.whole((long) value)));
    }
    return axis;
  }

  /** Powers of ten; between them where there are few. */
  static Axis log(double smallest, double largest) {
    double low = Math.log10(smallest);
    double high = Math.log10(largest);
    if (high - low < 0.02) {
      low -= 0.05;
      high += 0.05;
    }
    double room = ROOM * (high - low);
    Axis axis = new Axis(true, low - room, high + room);
    int first = (int) Math.ceil(axis.min);
    int last = (int) Math.floor(axis.max);
    int every = Math.max(1, (int) Math.ceil((last - first + 1) / (double) MAX_DECADE_TICKS));
    for (int decade = first; decade <= last; decade++) {
      if (Math.floorMod(decade, every) == 0) {
        axis.ticks.add(new Tick(Math.pow(10, decade), decade >= -3 && decade <= 4
            ? Figures.brief(Math.pow(10, decade))
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

  /** 0 at the low end, 1 at the high end. */
  double at(double value) {
    double on = log ? Math.log10(value) : Math.max(-LARGEST, Math.min(LARGEST, value));
    return (on - min) / (max - min);
  }

  List<Tick> ticks() {
    return List.copyOf(ticks);
  }

  private void addSteps() {
    double step = step(max - min);
    for (double at = Math.ceil(min / step); at * step <= max; at++) {
      ticks.add(new Tick(at * step, Figures.tick(at * step, step)));
    }
  }

  private void addIfInside(double value) {
    if (at(value) >= 0 && at(value) <= 1) {
      ticks.add(new Tick(value, Figures.brief(value)));
    }
  }

  /** 1, 2 or 5 times a power of ten, so that few ticks cover the range. */
  private static double step(double range) {
    double least = range / (MAX_TICKS - 1);
    double power = Math.pow(10, Math.floor(Math.log10(least)));
    for (int times : new int[] {1, 2, 5}) {
      if (times * power >= least) {
        return times * power;
      }
    }
    return 10 * power;
  }
}
