package dev.plumb.study;

import dev.plumb.study.TuningTrial.Key;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/** The scores of a hyperparameter search, and the order of its candidates. Used by several threads. */
final class TuningScores {
  /** A candidate trained for the epochs of a rung. */
  record Entry(int candidate, int rung) {}

  private final Map<Key, TuningTrial> trials = new ConcurrentHashMap<>();
  private final int folds;
  private final double judgingShare;
  private final boolean isHigherBetter;

  /** @param judgingShare number of judging rows of a fold, divided by that of its training rows */
  TuningScores(int folds, double judgingShare, boolean isHigherBetter) {
    this.folds = folds;
    this.judgingShare = judgingShare;
    this.isHigherBetter = isHigherBetter;
  }

  /** Adds a trial; returns false if there is one of its key. */
  boolean add(TuningTrial trial) {
    return trials.putIfAbsent(trial.key(), trial) == null;
  }

  boolean has(Key key) {
    return trials.containsKey(key);
  }

  /** Returns all trials, sorted. */
  List<TuningTrial> trials() {
    return trials.values().stream().sorted(TuningTrial.ORDER).toList();
  }

  /** Returns the summary over folds and seeds; without values if a network diverged. */
  Summary summary(Entry entry, List<Integer> seeds) {
    double[] scores = scores(entry, seeds);
    return Summary.of(IntStream.range(0, scores.length).anyMatch(i -> Double.isNaN(scores[i])) ? new double[0] : scores);
  }

  private double[] scores(Entry entry, List<Integer> seeds) {
    return IntStream.range(0, folds).boxed().flatMapToDouble(fold -> seeds.stream()
        .mapToDouble(seed -> trials.get(new Key(entry.rung(), entry.candidate(), fold, seed)).score())).toArray();
  }

  /** Returns whether a network of an entry diverged from the first seed. */
  boolean hasDiverged(Entry entry) {
    return cost(entry, HalvingLadder.FIRST_SEED) == Double.POSITIVE_INFINITY;
  }

  /**
   * Returns by how many standard errors of the mean difference an entry is better than another; negative if it is worse. The n
   * differences are those of the same fold and seed. As they share training rows, the variance of their mean is estimated as
   * s²·(1/n + judging rows / training rows) (Nadeau and Bengio 2003).
   *
   * @return 0 for a single difference, or if both diverged; infinite if all differences are equal, or one diverged
   */
  double standardErrors(Entry one, Entry other, List<Integer> seeds) {
    double gain = cost(other, seeds) - cost(one, seeds);
    if (!Double.isFinite(gain)) {
      return Double.isNaN(gain) ? 0 : gain;
    }
    double[] ones = scores(one, seeds);
    double[] others = scores(other, seeds);
    Summary differences = Summary.of(IntStream.range(0, ones.length).mapToDouble(i -> ones[i] - others[i]).toArray());
    double variance = 1.0 / differences.count() + judgingShare;
    return gain == 0 || differences.count() < 2 ? 0 : gain / (differences.deviation() * Math.sqrt(variance));
  }

  /** Returns entries from the best to the worst; of equal ones the lower candidate first, then the one of fewer epochs. */
  List<Entry> ranking(List<Entry> entries, List<Integer> seeds) {
    return entries.stream().sorted(Comparator.<Entry>comparingDouble(entry -> cost(entry, seeds))
        .thenComparingInt(Entry::candidate).thenComparingInt(Entry::rung)).toList();
  }

  /** Returns the mean score such that lower is better; infinity if a network diverged. */
  private double cost(Entry entry, List<Integer> seeds) {
    double mean = summary(entry, seeds).mean();
    return Double.isNaN(mean) ? Double.POSITIVE_INFINITY : isHigherBetter ? -mean : mean;
  }

  /** Returns whether no network of an entry diverged, and its score is not worse than that of the rung before. */
  boolean mayAdvance(Entry entry) {
    double cost = cost(entry, HalvingLadder.FIRST_SEED);
    return cost < Double.POSITIVE_INFINITY
        && (entry.rung() == 0 || cost <= cost(new Entry(entry.candidate(), entry.rung() - 1), HalvingLadder.FIRST_SEED));
  }

  /** Returns the best entry of a candidate by the first seed. */
  Entry best(int candidate, int lastRung) {
    return ranking(IntStream.rangeClosed(0, lastRung).mapToObj(rung -> new Entry(candidate, rung)).toList(),
        HalvingLadder.FIRST_SEED).get(0);
  }
}
