package dev.plumb.study;

import dev.plumb.study.TuningScores.Entry;
import dev.plumb.train.TrainConfig;
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
    TuningScores known = new TuningScores(folds, folds > 1 ? 1.0 / (folds - 1) : 0.25, spec.config().trainer().watch().isHigherBetter());
    HalvingLadder ladder = new HalvingLadder(bases, candidates.size(), epochs, HalvingLadder.seeds(folds));
    HalvingLadder.Outcome outcome = ladder.climb(known, (entries, seeds) -> {
      for (Entry entry : entries) {
        TrainConfig candidate = candidates.get(entry.candidate());
        for (int seed : seeds) {
          for (int fold = 0; fold < folds; fold++) {
            double score = scores.of(entry.candidate(), candidate, epochs.size() - 1 - entry.rung(), fold, seed);
            known.add(new TuningTrial(entry.rung(), entry.candidate(), fold, seed, score,
                Double.isNaN(score) ? 1 : epochs.get(entry.rung()), 0.5 * epochs.get(entry.rung())));
          }
        }
      }
    });
    TuningResult.Standing best = outcome.standings().get(0);
    return new TuningResult(spec, bases, candidates, outcome.rungs(), outcome.standings(), known.trials(),
        candidates.get(best.candidate()).with(changes -> changes.epochs(epochs.get(best.rung()))));
  }
}
