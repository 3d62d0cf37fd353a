package dev.plumb.study;

import dev.plumb.study.TuningScores.Entry;
import dev.plumb.train.TrainConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Made-up results of hyperparameter searches, with known scores. */
public final class TuningResults {
  /** The outcome of a network. */
  public interface Scores {
    /**
     * Returns the score of a network; NaN if it diverged.
     *
     * @param rungs number of rungs after this one
     */
    double of(int candidate, TrainConfig config, int rungs, int fold, int seed);
  }

  private TuningResults() {}

  /**
   * Returns the result of a search with successive halving.
   *
   * @param bases number of candidates that are not drawn
   * @param folds 1 for held-out rows
   */
  public static TuningResult of(TuningSpec spec, int bases, int folds, List<Integer> epochs, Scores scores) {
    TrainConfig base = spec.space().withFixed(spec.config());
    List<TrainConfig> candidates = spec.candidates(
        IntStream.range(0, bases).mapToObj(i -> base.with(changes -> changes.dropout(i / 10.0))).toList(), spec.config());
    TuningScores known = new TuningScores(folds, spec.config().trainer().watch().isHigherBetter());
    List<TuningResult.Rung> ladder = new ArrayList<>();
    int[] lastRungs = new int[candidates.size()];
    List<Entry> going = IntStream.range(0, candidates.size()).mapToObj(candidate -> new Entry(candidate, 0)).toList();
    for (int rung = 0; rung < epochs.size(); rung++) {
      int current = rung;
      List<Entry> entries = going.stream().map(entry -> new Entry(entry.candidate(), current)).toList();
      entries.forEach(entry -> add(known, entry, folds, 0, 1, candidates, epochs, scores));
      entries.forEach(entry -> lastRungs[entry.candidate()] = current);
      List<Entry> ranking = known.ranking(entries, 1);
      ladder.add(new TuningResult.Rung(epochs.get(rung), entries.size(), known.summary(ranking.get(0), 1).mean()));
      going = IntStream.range(0, ranking.size()).filter(i -> i < (ranking.size() + 2) / 3 || ranking.get(i).candidate() < bases)
          .mapToObj(ranking::get).toList();
    }
    List<Entry> ranking = known.ranking(IntStream.range(0, lastRungs.length)
        .mapToObj(candidate -> known.best(candidate, lastRungs[candidate])).toList(), 1);
    Entry bestBase = ranking.stream().filter(entry -> entry.candidate() < bases).findFirst().orElseThrow();
    List<Entry> finalists =
        IntStream.range(0, ranking.size()).filter(i -> i < 3 || ranking.get(i) == bestBase).mapToObj(ranking::get).toList();
    finalists.forEach(entry -> add(known, entry, folds, 1, Tuning.SEEDS, candidates, epochs, scores));
    List<TuningResult.Standing> standings = new ArrayList<>();
    known.ranking(finalists, Tuning.SEEDS).forEach(entry -> standings.add(new TuningResult.Standing(entry.candidate(), entry.rung(),
        lastRungs[entry.candidate()], known.summary(entry, Tuning.SEEDS))));
    ranking.stream().filter(entry -> !finalists.contains(entry)).forEach(entry -> standings.add(
        new TuningResult.Standing(entry.candidate(), entry.rung(), lastRungs[entry.candidate()], known.summary(entry, 1))));
    TuningResult.Standing best = standings.get(0);
    return new TuningResult(spec, bases, candidates, ladder, standings, known.trials(),
        candidates.get(best.candidate()).with(changes -> changes.epochs(epochs.get(best.rung()))));
  }

  private static void add(TuningScores known, Entry entry, int folds, int fromSeed, int toSeed, List<TrainConfig> candidates,
      List<Integer> epochs, Scores scores) {
    for (int fold = 0; fold < folds; fold++) {
      for (int seed = fromSeed; seed < toSeed; seed++) {
        double score =
            scores.of(entry.candidate(), candidates.get(entry.candidate()), epochs.size() - 1 - entry.rung(), fold, seed);
        known.add(new TuningTrial(entry.rung(), entry.candidate(), fold, seed, score,
            Double.isNaN(score) ? 1 : epochs.get(entry.rung()), 0.5 * epochs.get(entry.rung())));
      }
    }
  }
}
