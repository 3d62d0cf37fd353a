package dev.plumb.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;
import java.util.function.LongSupplier;

/**
 * An estimate of the remaining time from the recent speed. The first seconds are slower than the rest, because Java still compiles,
 * and so does a GPU. The speed is therefore that of the second half of the time so far, and there is no estimate until both halves
 * of that half agree. It may be called from several threads.
 */
final class RemainingTime {
  /** No estimate before: Java still compiles. */
  private static final double MIN_SECONDS = 2;
  /** Ratio of the speeds of the last two quarters above which there is no estimate. */
  private static final double MAX_RATIO = 1.5;
  /** Points are thinned out to at most this number. */
  private static final int MAX_POINTS = 2048;

  /** Work that was done at a time. */
  private record Point(double seconds, double work) {}

  private final LongSupplier nanoTime;
  private final long start;
  private final double total;
  private final Deque<Point> points = new ArrayDeque<>();

  /**
   * Starts measuring.
   *
   * @param done work that is done already
   * @param total work in any unit, that done already included
   * @param nanoTime clock in nanoseconds
   */
  RemainingTime(double done, double total, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.total = total;
    start = nanoTime.getAsLong();
    points.add(new Point(0, done));
  }

  /** Records the work done so far; it may have become less. */
  synchronized void done(double work) {
    double seconds = (nanoTime.getAsLong() - start) / 1e9;
    double spacing = seconds / MAX_POINTS;
    if (points.size() > 1 && seconds - beforeLast().seconds() < spacing) {
      points.removeLast();
    }
    points.addLast(new Point(seconds, work));
    // Only the second half counts; it begins at the last point before its start.
    while (points.size() > 2 && second().seconds() <= seconds / 2) {
      points.removeFirst();
    }
  }

  private Point second() {
    var iterator = points.iterator();
    iterator.next();
    return iterator.next();
  }

  private Point beforeLast() {
    var iterator = points.descendingIterator();
    iterator.next();
    return iterator.next();
  }

  /** Returns the remaining time in seconds; empty while it is not known. */
  synchronized OptionalDouble seconds() {
    Point last = points.getLast();
    double now = (nanoTime.getAsLong() - start) / 1e9;
    Point half = at(now / 2);
    Point middle = at(now * 3 / 4);
    double earlier = speed(half, middle);
    double later = speed(middle, last);
    if (now < MIN_SECONDS || !(earlier > 0 && later > 0) || Math.max(earlier, later) > MAX_RATIO * Math.min(earlier, later)) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(Math.max(0, (total - last.work()) / speed(half, last) - (now - last.seconds())));
  }

  /** Returns the last point up to a time. */
  private Point at(double seconds) {
    Point found = points.getFirst();
    for (Point point : points) {
      if (point.seconds() > seconds) {
        break;
      }
      found = point;
    }
    return found;
  }

  private static double speed(Point from, Point to) {
    return (to.work() - from.work()) / (to.seconds() - from.seconds());
  }
}
