package dev.plumb.check;

import java.util.ArrayList;
import java.util.List;

/** Counts errors, in units of what is allowed, by powers of ten. */
public final class ErrorHistogram {
  /** The powers of ten that are told apart; what lies beyond is counted at the ends. */
  private static final int LEAST = -6;
  private static final int MOST = 3;

  private final long[] counts = new long[MOST - LEAST + 1];
  private long exact;
  private long below;
  private long notFinite;

  /**
   * One row of the distribution.
   *
   * @param range for people
   */
  public record Row(String range, long count) {}

  /** @param units at least 0; infinite for what is not finite */
  void add(double units) {
    if (units == 0) {
      exact++;
    } else if (!Double.isFinite(units)) {
      notFinite++;
    } else if (units < Math.pow(10, LEAST)) {
      below++;
    } else {
      int decade = (int) Math.floor(Math.log10(units));
      counts[Math.max(LEAST, Math.min(decade, MOST)) - LEAST]++;
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

  /** All rows from exact to not finite, those without a count too. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(new Row("0", exact));
    rows.add(new Row("below 1e" + LEAST, below));
    for (int decade = LEAST; decade <= MOST; decade++) {
      rows.add(new Row(decade == MOST ? "1e" + decade + " and above" : "1e" + decade + " to 1e" + (decade + 1),
          counts[decade - LEAST]));
    }
    rows.add(new Row("not finite", notFinite));
    return rows;
  }
}
