package dev.plumb.spark;

import dev.plumb.cli.ScoringResult;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts of the rows of one partition. */
final class ScoringCounts implements Serializable {
  private static final long serialVersionUID = 1L;

  long rows;
  final HashMap<String, Long> unknown = new HashMap<>();
  final HashMap<String, Long> replaced = new HashMap<>();
  long notFinite;
  String firstNotFinite = "";
  /** Why a row cannot be predicted; null if all can. */
  String refusal;

  static void add(Map<String, Long> counts, Map<String, ? extends Number> more) {
    more.forEach((column, count) -> counts.merge(column, count.longValue(), Long::sum));
  }

  /** Returns the sums over all partitions. */
  static ScoringResult sum(List<ScoringCounts> partitions) {
    Map<String, Long> unknown = new TreeMap<>();
    Map<String, Long> replaced = new TreeMap<>();
    partitions.forEach(counts -> {
      add(unknown, counts.unknown);
      add(replaced, counts.replaced);
    });
    return new ScoringResult(partitions.stream().mapToLong(counts -> counts.rows).sum(), unknown, replaced,
        partitions.stream().mapToLong(counts -> counts.notFinite).sum(),
        partitions.stream().map(counts -> counts.firstNotFinite).filter(text -> !text.isEmpty()).findFirst().orElse(""));
  }
}
