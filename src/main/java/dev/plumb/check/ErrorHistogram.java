package dev.plumb.check;

import java.util.ArrayList;
import java.util.List;

/** A histogram of errors relative to their bounds, by powers of ten. */
public final class ErrorHistogram {
  /** Range of the powers of ten; errors beyond are counted at its ends. */
  private static final int MIN_DECADE = -6;
  private static final int MAX_DECADE = 3;

  private final long[] counts = new long[MAX_DECADE - MIN_DECADE + 1];
  private long exact;
  private long below;
  private long notFinite;

  /**
   * One row of the distribution.
   *
   * @param range such as "1e-3 to 1e-2"
   */
  public record Row(String range, long count) {}

  /** @param units error divided by its bound, at least 0; infinite for values that are not finite */
  void add(double units) {
    if (units == 0) {
      exact++;
    } else if (!Double.isFinite(units)) {
      notFinite++;
    } else if (units < Math.pow(10, MIN_DECADE)) {
      below++;
    } else {
      int decade = (int) Math.floor(Math.log10(units));
      counts[Math.max(MIN_DECADE, Math.min(decade, MAX_DECADE)) - MIN_DECADE]++;
    }
  }

  public void add(ErrorHistogram other) {
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
    }
    exact += other.exact;
    below += other.below;
    notFinite += other.notFinite;
  }

  /** Returns all rows from exact to not finite, including empty ones. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(new Row("0", exact));
    rows.add(new Row("below 1e" + MIN_DECADE, below));
    for (int decade = MIN_DECADE; decade <= MAX_DECADE; decade++) {
      rows.add(new Row(decade == MAX_DECADE ? "1e" + decade + " and above" : "1e" + decade + " to 1e" + (decade + 1),
          counts[decade - MIN_DECADE]));
    }
    rows.add(new Row("not finite", notFinite));
    return rows;
  }
}
